package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/segedge/segedge/seg"
)

// MaxCameras of one agent.
const MaxCameras = 16

// maxShapes bounds a camera's zones, its lines, and its masked parts.
const maxShapes = 64

func (c *Config) checkCameras(ps *Problems) {
	if len(c.Cameras) == 0 || len(c.Cameras) > MaxCameras {
		ps.Add("cameras", "%d cameras; an agent has 1 to %d", len(c.Cameras), MaxCameras)
	}
	seen := map[string]bool{}
	for i := range c.Cameras {
		cam, key := &c.Cameras[i], fmt.Sprintf("cameras.%d", i)
		switch {
		case cam.Name == "":
			ps.Add(key+".name", "a camera needs a name, such as name: door, by which page, topics and events call it")
		case !nameForm.MatchString(cam.Name):
			ps.Add(key+".name", "%s: letters, digits, '_', '.' and '-' only, at most 64", shownWord(cam.Name))
		case cam.Name != "" && seen[cam.Name]:
			ps.Add(key+".name", "%q names two cameras", cam.Name)
		}
		seen[cam.Name] = true
		if strings.TrimSpace(cam.Source) == "" {
			ps.Add(key+".source", "a camera needs a source, such as synthetic or /dev/video0")
		}
		cam.checkLogin(key, ps)
		cam.checkCrop(key, ps)
		checkInput(key+".input", cam.Input, ps)
		if c.Model.Input > 0 && cam.Input > c.Model.Input {
			ps.Add(key+".input", "%d is more than model.input, %d: raise that, and set less where less is enough", cam.Input, c.Model.Input)
		}
		checkShapes(key+".zones", cam.Zones, 3, 64, true, ps)
		checkShapes(key+".lines", cam.Lines, 2, 2, true, ps)
		checkShapes(key+".privacy", cam.Privacy, 3, 64, false, ps)
	}
}

// checkLogin holds that a source's user and password have an address to go into.
func (c *Camera) checkLogin(key string, ps *Problems) {
	network := strings.Contains(c.Source, "://") && !strings.HasPrefix(c.Source, "gst:")
	switch {
	case c.Username == "" && c.Password == "" && c.PasswordFile == "":
	case !network:
		ps.Add(key+".username", "only rtsp:// and http:// sources take a user and a password")
	case c.Username == "":
		ps.Add(key+".username", "a password needs a user")
	case c.Password != "" && c.PasswordFile != "":
		ps.Add(key+".password_file", "the password is given twice: keep password or password_file")
	case strings.Contains(c.Source, "@"):
		ps.Add(key+".source", "the user is given twice: take it out of the address")
	}
}

func (c *Camera) checkCrop(key string, ps *Problems) {
	b := c.Crop
	if len(b) == 0 {
		return
	}
	if len(b) != 4 || !(b[0] >= 0 && b[1] >= 0 && b[2] <= 1 && b[3] <= 1 && b[2]-b[0] >= 0.01 && b[3]-b[1] >= 0.01) {
		ps.Add(key+".crop", "%v is no x0, y0, x1, y1 within 0..1, left before right, top before bottom", b)
	}
}

func checkShapes(key string, shapes []Shape, least, most int, named bool, ps *Problems) {
	if len(shapes) > maxShapes {
		ps.Add(key, "%d are more than %d", len(shapes), maxShapes)
	}
	seen := map[string]bool{}
	for i, s := range shapes {
		name := fmt.Sprintf("%s.%d.name", key, i)
		switch {
		case strings.TrimSpace(s.Name) == "" && named:
			ps.Add(name, "a name is needed")
		case len(s.Name) > 64 || !printable(s.Name):
			ps.Add(name, "%q: at most 64 printable characters", s.Name)
		case s.Name != "" && seen[s.Name]:
			ps.Add(name, "%q is there twice", s.Name)
		}
		seen[s.Name] = true
		checkClasses(fmt.Sprintf("%s.%d.classes", key, i), s.Classes, named, ps)
		checkPoints(fmt.Sprintf("%s.%d.points", key, i), s.Points, least, most, ps)
	}
}

// mostClasses bounds those of a zone or line.
const mostClasses = 32

func checkClasses(key string, classes []string, may bool, ps *Problems) {
	switch {
	case len(classes) > 0 && !may:
		ps.Add(key, "what is masked is black, whatever it is: only zones and lines have classes")
	case len(classes) > mostClasses:
		ps.Add(key, "%d are more than %d", len(classes), mostClasses)
	}
	for _, c := range classes {
		if strings.IndexFunc(c, isWordy) < 0 || len(c) > 64 || !printable(c) {
			ps.Add(key, "%q: a class is 1 to 64 printable characters with a letter or a digit among them, such as person", c)
		}
	}
}

func isWordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func checkPoints(key string, points [][2]float64, least, most int, ps *Problems) {
	if n := len(points); n < least || n > most {
		ps.Add(key, "%d points, not %d to %d", n, least, most)
	}
	corners := make([]seg.Point, len(points))
	for i, p := range points {
		if corners[i] = (seg.Point{X: p[0], Y: p[1]}); !corners[i].In01() {
			ps.Add(key, "[%g, %g]: %v", p[0], p[1], seg.ErrOutsidePicture)
		}
	}
	switch n := len(corners); {
	case n == 2 && least == 2 && corners[0] == corners[1]:
		ps.Add(key, "the line begins and ends at one point: nobody could cross it")
	case n > 2 && seg.Flat(corners):
		ps.Add(key, "the points lie on one line: there is nothing in it")
	}
}
