// Package agent is the whole of segedge behind its doors: every camera's capture and pipeline, run and joined together,
// and the commands that MQTT, HTTP and the data channel bring. It knows contracts only: it opens no camera device,
// loads no model, draws nothing and imports no door; the command builds those and hands them in.
package agent
