package api

// The examples of the AsyncAPI document; a test holds them to the schema.
const (
	exampleInfo = `{"schema":1,"agent":"box","version":"1.0","started":"2026-03-01T12:00:00Z","cameras":["cam"],` +
		`"model":"tiny","family":"segedge","provider":"CPU","provider_why":"no GPU was found"}`
	exampleState = `{"schema":1,"camera":"cam","state":"running","scene":"ok","width":64,"height":32,"fps":30,` +
		`"frame":900,"captured":900,"processed":897,"dropped":3,"keyframes":60,"keyframe_age":12,"viewers":1,` +
		`"objects":1,"zones":[{"name":"door","points":[[0,0],[1,0],[1,1]]}],"stages":{"encode":{"p50_ms":310,` +
		`"p95_ms":340,"p99_ms":352}}}`
	exampleObjects = `{"schema":1,"camera":"cam","frame":{"seq":900,"captured":"2026-03-01T12:00:00Z"},"as_of_seq":17,` +
		`"objects":[{"id":"cam-1","name":"cup","state":"tracking","box":[0.25,0.25,0.5,0.75],` +
		`"centroid":[0.375,0.5],"area":0.125,"predicted_iou":0.9,"stability":0.8,"mask_age":2,"keyframe":10,` +
		`"age":5,"prompt":"point"}]}`
	examplePresence = `{"schema":1,"camera":"cam","fps":30,"objects":1,"names":{"cup":1},"zones":{"door":{"objects":1,` +
		`"names":{"cup":1},"dwell":12.5}},"lines":{"gate":{"in":3,"out":2}}}`
	exampleEvent = `{"schema":1,"event_id":"8c5a1f0be7d24936-17","seq":17,"camera":"cam","time":"2026-03-01T12:00:00Z",` +
		`"frame":{"seq":900,"captured":"2026-03-01T12:00:00Z"},"type":"zone.entered","before":{"id":"cam-1",` +
		`"name":"cup","state":"tracking","box":[0.25,0.25,0.5,0.75],"centroid":[0.375,0.5],"area":0.125,` +
		`"predicted_iou":0.9,"stability":0.8,"mask_age":2,"keyframe":10,"age":5,"prompt":"point"},` +
		`"after":{"id":"cam-1","name":"cup","state":"tracking","box":[0.25,0.25,0.5,0.75],"centroid":[0.375,` +
		`0.5],"area":0.125,"predicted_iou":0.9,"stability":0.8,"mask_age":2,"keyframe":10,"age":5,` +
		`"prompt":"point","mask":{"size":[32,64],"counts":"X` + "`" + `0` + "`" + `0` + "`" + `000000000000000000000000000000ho0"}},` +
		`"zone":"door"}`
	exampleMasks = `{"schema":1,"camera":"cam","frame":{"seq":900,"captured":"2026-03-01T12:00:00Z"},` +
		`"objects":[{"id":"cam-1","name":"cup","state":"tracking","box":[0.25,0.25,0.5,0.75],` +
		`"centroid":[0.375,0.5],"area":0.125,"predicted_iou":0.9,"stability":0.8,"mask_age":2,"keyframe":10,` +
		`"age":5,"prompt":"point","mask":{"size":[32,64],` +
		`"counts":"X` + "`" + `0` + "`" + `0` + "`" + `000000000000000000000000000000ho0"}}]}`
)

// ExampleCommand is a command of a verb, as MQTT takes it; the other doors know no reply. Empty for a verb that there is not.
func ExampleCommand(verb string) string { return exampleCommands[verb] }

var exampleCommands = map[string]string{
	"prompt":   `{"id":"1","reply":"panel","points":[{"x":0.2,"y":0.5,"label":1}],"name":"cup"}`,
	"choose":   `{"id":"2","reply":"panel","object":"cam-1","candidate":1}`,
	"rename":   `{"id":"3","reply":"panel","object":"cam-1","name":"mug"}`,
	"remove":   `{"id":"4","object":"cam-1"}`,
	"undo":     `{"id":"5","object":"cam-1"}`,
	"confirm":  `{"id":"6","object":"cam-1"}`,
	"reject":   `{"id":"7","object":"cam-1"}`,
	"clear":    `{"id":"8"}`,
	"pause":    `{"id":"9"}`,
	"resume":   `{"id":"10"}`,
	"keyframe": `{"id":"11"}`,
	"snapshot": `{"id":"12","reply":"panel"}`,
	"automask": `{"id":"13","max":10,"min_area":0.01}`,
	"zone":     `{"id":"14","name":"door","points":[[0.1,0.1],[0.4,0.1],[0.4,0.9]]}`,
	"line":     `{"id":"15","name":"gate","points":[[0.5,0],[0.5,1]]}`,
	"model":    `{"id":"16","name":"default"}`,
	"config":   `{"id":"17","set":{"tracker.budget":0.4}}`,
	"record":   `{"id":"18","reply":"panel","action":"around","seconds":10,"event":"zone.entered"}`,
}
