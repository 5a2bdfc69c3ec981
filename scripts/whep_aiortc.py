"""Plays 100 pictures of a segedge camera with aiortc: whep_aiortc.py http://127.0.0.1:8080/whep/camera TOKEN"""

import asyncio
import sys

import aiohttp
import aiortc
from aiortc import RTCPeerConnection, RTCSessionDescription

PICTURES = 100


async def play(endpoint, token):
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    peer, shown = RTCPeerConnection(), asyncio.get_running_loop().create_future()
    peer.addTransceiver("video", direction="recvonly")

    async def pictures(track):
        size, times = None, set()
        for _ in range(PICTURES):
            picture = await track.recv()
            size = picture.width, picture.height
            times.add(picture.pts)
        shown.set_result((size, len(times)))

    @peer.on("track")
    def on_track(track):
        task = asyncio.ensure_future(pictures(track))
        task.add_done_callback(lambda t: t.exception() and not shown.done() and shown.set_exception(t.exception()))

    await peer.setLocalDescription(await peer.createOffer())  # gathers all candidates
    async with aiohttp.ClientSession() as http:
        async with http.post(endpoint, data=peer.localDescription.sdp, headers=headers) as answer:
            body = await answer.text()
            if answer.status != 201:
                raise SystemExit(f"aiortc: {answer.status}: {body}")
            session = answer.url.join(aiohttp.client.URL(answer.headers["Location"]))
        await peer.setRemoteDescription(RTCSessionDescription(body, "answer"))
        size, times = await asyncio.wait_for(shown, 60)
        async with http.delete(session, headers=headers) as gone:
            if gone.status != 200:
                raise SystemExit(f"aiortc: DELETE answers {gone.status}")
    await peer.close()
    if times != PICTURES:
        raise SystemExit(f"aiortc: {PICTURES} pictures have {times} times")
    codec = next(line.split()[1] for line in body.splitlines() if line.startswith("a=rtpmap:"))
    print(f"aiortc {aiortc.__version__}: {PICTURES} pictures of {size[0]}x{size[1]}, {codec}")


asyncio.run(play(*sys.argv[1:]))
