"""Plays 100 pictures of a segedge camera with GStreamer's webrtcbin: whep_gstreamer.py http://192.0.2.7:8080/whep/camera TOKEN

The address is one of a network card: libnice sends nothing over the loopback interface."""

import sys
import urllib.error
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

PICTURES = 100


class Player:
    """A WHEP client: one webrtcbin, whose video is decoded and counted."""

    def __init__(self, endpoint, token):
        self.endpoint, self.session, self.sdp = endpoint, None, ""
        self.headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
        self.pictures, self.size, self.loop, self.problem = 0, "", GLib.MainLoop(), None
        self.pipe, self.rtc = Gst.Pipeline.new(None), Gst.ElementFactory.make("webrtcbin")
        self.rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipe.add(self.rtc)
        caps = Gst.Caps.from_string("application/x-rtp,media=video,encoding-name=H264,clock-rate=90000,payload=96,packetization-mode=(string)1")
        self.rtc.emit("add-transceiver", GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY, caps)
        self.rtc.connect("on-negotiation-needed", self.on_needed)
        self.rtc.connect("pad-added", self.on_pad)
        self.rtc.connect("notify::ice-gathering-state", self.on_gathering)
        bus = self.pipe.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, m: self.end(str(m.parse_error())))
        GLib.timeout_add_seconds(60, lambda: self.end("100 pictures did not come in a minute"))

    def play(self):
        self.pipe.set_state(Gst.State.PLAYING)
        self.loop.run()
        if self.session and not self.problem:
            urllib.request.urlopen(urllib.request.Request(self.session, None, self.headers, method="DELETE"), timeout=10)
        self.pipe.set_state(Gst.State.NULL)
        if self.problem:
            raise SystemExit(f"GStreamer: {self.problem}; {self.pictures} pictures came")
        codec = next(line.split()[1] for line in self.sdp.splitlines() if line.startswith("a=rtpmap:"))
        print(f"{Gst.version_string()}, webrtcbin: {self.pictures} pictures of {self.size}, {codec}")

    def end(self, problem=None):
        self.problem = self.problem or problem
        self.loop.quit()

    def on_needed(self, _):
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise):
        reply = promise.get_reply()  # the offer lives as long as this
        self.rtc.emit("set-local-description", reply.get_value("offer"), None)

    def on_gathering(self, *_):
        """Posts the offer when all candidates are in it."""
        if self.rtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE and not self.session:
            GLib.idle_add(self.post)

    def post(self):
        offer = self.rtc.get_property("local-description").sdp.as_text()
        request = urllib.request.Request(self.endpoint, offer.encode(), self.headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                self.session = urllib.parse.urljoin(self.endpoint, answer.headers["Location"])
                self.sdp = answer.read().decode()
        except urllib.error.HTTPError as e:
            self.end(f"{e.code}: {e.read().decode()}")
            return
        _, message = GstSdp.SDPMessage.new_from_text(self.sdp)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", described, None)

    def on_pad(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        tail = Gst.parse_bin_from_description("rtph264depay ! h264parse ! DECODER ! fakesink name=end signal-handoffs=true sync=false".replace("DECODER", decoder()), True)
        tail.get_by_name("end").connect("handoff", self.on_picture)
        self.pipe.add(tail)
        tail.sync_state_with_parent()
        pad.link(tail.get_static_pad("sink"))

    def on_picture(self, _, __, pad):
        self.pictures += 1
        if self.pictures == PICTURES:
            s = pad.get_current_caps().get_structure(0)
            self.size = f"{s.get_value('width')}x{s.get_value('height')}"
            GLib.idle_add(self.end)


def decoder():
    """Whatever decodes H.264 here."""
    found = next((name for name in ("avdec_h264", "openh264dec") if Gst.ElementFactory.find(name)), None)
    if not found:
        raise SystemExit("GStreamer: nothing here decodes H.264: apt-get install gstreamer1.0-libav")
    return found


Gst.init(None)
if not Gst.ElementFactory.find("webrtcbin") or not Gst.ElementFactory.find("nicesrc"):
    raise SystemExit("GStreamer: no webrtcbin: apt-get install gstreamer1.0-plugins-bad gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0 python3-gi")
Player(*sys.argv[1:]).play()
