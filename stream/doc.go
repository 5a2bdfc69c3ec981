// Package stream brings a camera's encoded video to browsers and takes their commands: WHEP (draft-ietf-wish-whep)
// for the negotiation, one RTP track and one bounded queue for every viewer, and a data channel that speaks the
// vocabulary of package api. It encodes nothing, paints nothing and decides nothing: access units come in through
// Write, commands go out through api.Service.
//
// # HTTP
//
//	OPTIONS /whep/<camera>            204, CORS, Accept-Post
//	GET     /whep/<camera>            200, {"camera":"…","viewers":n,"connecting":n,"places":n}; HEAD likewise
//	POST    /whep/<camera>            201, SDP answer; Location, ETag, Link (ICE servers)
//	POST    /whep/<camera>?overlay=client   the same, of the picture without the overlay, which the client draws from the lists
//	POST    /whep/<camera>?objects=delta    the same, with what has changed in the list of objects in place of the list with every picture
//	PATCH   /whep/<camera>/<viewer>   204 trickle with If-Match: <ETag>; 200 ICE restart with If-Match: "*"
//	GET     /whep/<camera>/<viewer>   200, {"camera":"…","viewer":"…","state":"connected",…}; HEAD likewise
//	DELETE  /whep/<camera>/<viewer>   200
//
// The last part of Location is the viewer's session id: what a command calls "viewer".
//
// # Data channel
//
// The client creates one data channel with the label "segedge" (ordered, reliable) before its offer. Every message is
// one JSON text.
//
// From the client: a command as on every other door, with its verb beside its fields. It is answered once, in order.
//
//	{"verb":"prompt","id":"7","points":[{"x":0.4,"y":0.5,"label":1}],"viewer":"3f…","rtp_time":2837465}
//	{"verb":"choose","id":"8","object":"cam-1","candidate":0}
//
// A prompt's "viewer" may be left out here: the channel's own viewer is meant when "rtp_time" stands alone. rtp_time is
// metadata.rtpTimestamp of requestVideoFrameCallback for the picture that the person clicked on. The picture is
// looked up in what was sent to that viewer, and the prompt reaches the service with its "frame".
//
// From the server, each with a "type":
//
//	{"type":"hello","schema":1,"viewer":"3f…","camera":"cam","clock_rate":90000}
//
// once, when the channel opens.
//
//	{"type":"reply","schema":1,"id":"7","ok":true,"result":{…}}
//	{"type":"reply","schema":1,"id":"8","ok":false,"error":{"code":"unknown_object","message":"…"}}
//
// answers a command: api.Reply, with api.PromptResult as the result of a prompt.
//
//	{"type":"objects","rtp_time":2837465,"schema":1,"camera":"cam","frame":{"seq":812,"captured":"…"},
//	 "as_of_seq":44,"objects":[{…,"color":"#39c5bb","outline":[[x,y,x,y,…],…],
//	 "candidates":[{"index":0,"box":[…],"area":0.1,"predicted_iou":0.9,"stability":0.9,"outline":[…]}]}]}
//
// with every picture that is sent to this viewer: the live objects of its frame (seg.Document without mask),
// each with the colour that the picture paints it in and with its outline, as the candidates of an ambiguous object
// have. rtp_time is that picture's: a client holds the list until it shows the picture
// (requestVideoFrameCallback). A frame that was not sent has no list. An outline is a list of rings, each a flat list of x, y in 0..1
// with three decimals, clockwise around what
// is inside and the other way around holes (fill with even-odd or non-zero alike); it is coarse, for hovering and
// picking, and coarser where there are many objects. An object without a mask has no outline. While no pictures are sent (a camera
// that is paused or down) a list goes out when something changes, with the rtp_time of the picture sent last.
//
//	{"type":"delta","rtp_time":2840465,"base":812,"seq":813,"objects":[{"id":"cam-1","box":[…],"rings":[[x,y,dx,dy,…],…]},
//	 {"id":"cam-2","candidates":null}],"gone":["cam-3"]}
//
// in place of it for who asked for objects=delta, but with keyframes, after a picture whose list was left out, and where it would not
// be shorter: what has changed since the list of the frame base, which is the one that came before on this channel. Of an object that was
// there only the fields that are others now, null for those that are no more (RFC 7396); a new one has all of them and comes last. age
// and mask_age that are not said have grown by seq - base. rings are the outline in whole thousandths of the picture: of each ring the
// first point, then for every further one how far it lies from the one before.
//
//	{"type":"state","schema":1,"camera":"cam","state":"running","fps":30,"keyframe_age":12,…}
//
// about twice a second, also while nothing happens: api.State. A client that hears nothing for two seconds has lost the agent.
//
//	{"type":"events","schema":1,"camera":"cam","events":[{"type":"zone.entered","time":"…","frame":812,
//	 "object":{"id":"cam-3","name":"cup","state":"tracking"},"zone":"desk"}]}
//
// when something happens, and once with what happened lately (a hundred events at most) when the channel opens; one may come twice.
// It is for people who look: what must not be missed comes over MQTT.
//
// # Renditions
//
// A viewer gets the camera's own size where its offer promises to decode the level (RFC 6184, profile-level-id), else the picture
// within level 3.1, and one of a quarter of that while its own path loses much. It changes over at a keyframe, by itself. An offer
// that takes no H.264 of level 3, but VP8, gets VP8 of the same two sizes where the agent can encode that; others are refused.
//
// # Places
//
// Sessions that never connected, or lost their connection, make room for others when all places are taken, and at most four of one
// client's address wait for a connection: the oldest goes for the next.
//
// A message that does not fit (the channel's buffer is full because the client does not read) is left out, never queued without
// bound; replies are not left out unless the channel is gone.
package stream
