package synthetic

import (
	"context"
	"time"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/frame"
	"github.com/segedge/segedge/supervise"
)

// ClockPreset is the default scene with the time in each picture.
const ClockPreset = "clock"

// The code in the picture: two rows of 24 squares in its upper left corner, each a forty-fifth of its height, which at 720 lines are
// the 16 pixels of a macroblock. White is 1, and the first square the highest bit. The first 36 bits are the time since 1970 in steps of
// 100 µs, which begin again after 79 days; the other 12 are that number modulo checkPrime, and one more, so that neither a black
// picture nor a white one, nor a single wrong square, is a time.
const (
	codeColumns = 24
	codeRows    = 2
	codeLines   = 45
	checkBits   = 12
	checkPrime  = 4093
	timeStep    = 100 * time.Microsecond
	timeSteps   = 1 << (codeColumns*codeRows - checkBits)
)

// DrawTime draws t over the upper left corner of a picture that is not much higher than wide.
func DrawTime(f *frame.Frame, t time.Time) {
	steps := uint64(t.UnixNano()/int64(timeStep)) % timeSteps
	word := steps<<checkBits | (steps%checkPrime + 1)
	for i := range codeRows * codeColumns {
		x0, y0, x1, y1 := codeSquare(f, i)
		for y := y0; y < y1; y++ {
			row := f.Pix[y*f.Stride()+3*x0 : y*f.Stride()+3*x1]
			for x := range row {
				row[x] = byte(255 * (word >> (codeRows*codeColumns - 1 - i) & 1))
			}
		}
	}
}

// ReadTime is the time in a picture, of those that look alike the one nearest to about; false where there is none. The picture may
// have been encoded, and reduced.
func ReadTime(f *frame.Frame, about time.Time) (time.Time, bool) {
	word := uint64(0)
	for i := range codeRows * codeColumns {
		word <<= 1
		if squareIsWhite(f, i) {
			word |= 1
		}
	}
	steps, check := word>>checkBits, word%(1<<checkBits)
	if check != steps%checkPrime+1 {
		return time.Time{}, false
	}
	ahead := (int64(steps) - about.UnixNano()/int64(timeStep)) % timeSteps
	switch {
	case ahead > timeSteps/2:
		ahead -= timeSteps
	case ahead < -timeSteps/2:
		ahead += timeSteps
	}
	return about.Truncate(timeStep).Add(time.Duration(ahead) * timeStep), true
}

// codeSquare is where square i of the code lies in a picture.
func codeSquare(f *frame.Frame, i int) (x0, y0, x1, y1 int) {
	column, row := i%codeColumns, i/codeColumns
	edge := func(n int) int { return n * f.Height / codeLines }
	return min(edge(column), f.Width), edge(row), min(edge(column+1), f.Width), edge(row + 1)
}

// squareIsWhite looks at the middle of a square: its edges are another's too once a picture has been reduced.
func squareIsWhite(f *frame.Frame, i int) bool {
	x0, y0, x1, y1 := codeSquare(f, i)
	marginX, marginY := (x1-x0)/4, (y1-y0)/4
	sum, n := 0, 0
	for y := y0 + marginY; y < y1-marginY; y++ {
		for _, v := range f.Pix[y*f.Stride()+3*(x0+marginX) : y*f.Stride()+3*(x1-marginX)] {
			sum += int(v)
			n++
		}
	}
	return sum > 128*n
}

// Clock is a source over a scene that draws into each picture when it was taken, so that whoever sees it knows how old it is: what a
// clock in front of a camera is. It keeps its own rate, since a picture that somebody held back would have an older time in it.
type Clock struct {
	Source
	zero time.Time // when frame 0 was, or would have been, taken
}

var (
	_ capture.Source    = (*Clock)(nil)
	_ capture.Describer = (*Clock)(nil)
)

// ClockOpener makes the scene with its clock on each opening.
func ClockOpener(o Options) capture.Opener {
	return func(context.Context) (capture.Source, error) {
		s, err := New(o)
		if err != nil {
			return nil, capture.Permanent(err)
		}
		return &Clock{Source: Source{scene: s}}, nil
	}
}

// Read renders the next frame, waits until it is due, and draws the time.
func (c *Clock) Read(ctx context.Context, dst *frame.Frame) error {
	n := c.next
	if err := c.Source.Read(ctx, dst); err != nil {
		return err
	}
	if due := c.zero.Add(c.scene.Time(n)); due.Before(time.Now()) {
		c.zero = time.Now().Add(-c.scene.Time(n))
	}
	if err := supervise.Wait(ctx, time.Until(c.zero.Add(c.scene.Time(n)))); err != nil {
		return err
	}
	DrawTime(dst, time.Now())
	return nil
}

// Info says that nobody needs to pace it.
func (c *Clock) Info() capture.Info {
	i := c.Source.Info()
	i.Live = true
	return i
}
