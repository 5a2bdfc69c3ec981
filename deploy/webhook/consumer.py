#!/usr/bin/env python3
"""Takes segedge's events over HTTP and prints each once, in order: a consumer to begin with.

    consumer.py PORT [TOKEN]

With webhooks: [{url: "http://HOST:PORT/", token: TOKEN}] in the agent's file, events arrive one after the other, each until it was answered
with a 2xx status. After a restart or a lost answer one may come again: event_id tells. A gap in seq is explained by an event events.dropped.
"""
import hmac
import http.server
import json
import sys

PORT, TOKEN = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
last = {}  # (camera, stream): the newest seq; keep it where a restart finds it, if that matters


def take(event):
    stream, _, seq = event["event_id"].rpartition("-")
    key, seq = (event["camera"], stream), int(seq)
    if seq <= last.get(key, 0):
        return print("again", event["event_id"], flush=True)
    if event["type"] == "events.dropped":
        print(event["camera"], "events", event["from"], "to", event["to"], "will never come", flush=True)
    else:
        subject = event["after"] or event["before"] or {}
        print(event["camera"], event["type"], subject.get("name") or subject.get("id", "-"), event.get("zone", ""), flush=True)
    last[key] = seq


class Door(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 4 << 20))
        if TOKEN and not hmac.compare_digest(self.headers.get("Authorization", ""), "Bearer " + TOKEN):
            return self.answer(401)
        try:
            take(json.loads(body))
        except (ValueError, KeyError):
            return self.answer(400)  # not an event: the agent sets it aside
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_):
        pass


http.server.HTTPServer(("127.0.0.1", PORT), Door).serve_forever()
