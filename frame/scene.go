package frame

// Scene says what a picture as a whole is worth: whether there is anything to be seen in it.
type Scene uint8

// The scenes. SceneOK is also that of a picture that nobody has judged.
const (
	SceneOK      Scene = iota
	SceneDark          // nothing in it is brighter than a dark room
	SceneBlurred       // no edges any more: out of focus, fogged, covered, blinded
	SceneFrozen        // frames come, but the picture does not change at all
	SceneMoved         // another view than before, all at once: the camera was knocked, or the picture cut
)

var sceneNames = [...]string{"ok", "dark", "blurred", "frozen", "moved"}

// String is the scene as the doors write it.
func (s Scene) String() string {
	if int(s) < len(sceneNames) {
		return sceneNames[s]
	}
	return "unknown"
}

// Shows reports whether there is something to be seen now, in whatever view: a picture in which a prompt makes sense.
func (s Scene) Shows() bool { return s == SceneOK || s == SceneMoved }
