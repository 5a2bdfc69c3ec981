// Package pipeline is one camera's walk: frames in, a prompt in, masks that follow the object out. It joins the
// tracker, which sees every frame, with the model, which sees keyframes: it keeps the newest frames, two seconds of them, and the
// embeddings of recent keyframes, runs the model in lanes of its own, and carries each answer to the present.
//
// It knows contracts only. It opens no camera, loads no model, draws nothing and speaks to nobody.
//
// Two clocks meet here. Nothing that happens on a frame waits for the model: a frame is tracked, shown and released
// while the lanes work, and an answer for frame k that arrives at frame n is replayed from k to n by the tracker.
package pipeline
