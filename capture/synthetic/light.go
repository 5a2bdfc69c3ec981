package synthetic

import (
	"encoding/binary"
	"math"
)

// light is what lies between the scene and the sensor's bytes: the sun's brightness, the shadows of clouds, and noise.
// Both are applied eight bytes at a time. That is exact because the picture before the noise never exceeds top and
// the noise lies in 0..15, so that no byte carries into the next.
type light struct {
	words  int // eight bytes each, in a row
	noise  []uint64
	seed   uint64
	sun    func(t float64) float64 // brightness of the whole picture, 0..1
	clouds float64                 // how much a cloud's shadow takes away, 0..1
	slant  int                     // words that a cloud's edge moves over the height of the picture
	height int
}

// noiseWords is the length of the noise table, a power of two; each row starts somewhere else in it.
const noiseWords = 1 << 14

func newLight(o Options) *light {
	l := &light{height: o.Height, words: 3 * o.Width / 8, seed: mix64(o.Seed ^ 0x11fe)}
	l.slant = l.words / 3
	l.sun, l.clouds = sunOf(o.Preset)
	l.noise = newNoise(l.seed, o.Noise)
	return l
}

// newNoise fills the table with bytes of a normal distribution around 7, cut at 0 and 15.
func newNoise(seed uint64, sigma float64) []uint64 {
	table := make([]uint64, noiseWords)
	for i := range table {
		var word uint64
		for k := range 8 {
			h := mix64(seed + uint64(8*i+k))
			u := (float64(h>>40) + 0.5) / (1 << 24)
			a := float64(h&0xffffff) / (1 << 24)
			v := 7 + sigma*math.Sqrt(-2*math.Log(u))*math.Cos(2*math.Pi*a)
			word |= uint64(min(max(math.Round(v), 0), 15)) << (8 * k)
		}
		table[i] = word
	}
	return table
}

func (l *light) shadeLen() int { return l.words + l.slant + 1 }

// prepare computes what the clouds take away along a row, in 1/256, for time t, and returns the sun's brightness, in
// 1/256. Row y reads the former from an offset: the clouds' edges slant.
func (l *light) prepare(t float64, shade []uint64) (sun uint64) {
	k := l.sun(t)
	for i := range shade {
		x := float64(i) / float64(l.words)
		cover := smooth(0.52, 0.72, valueNoise(l.seed, 1.3*(x-0.10*t), 0.05*t))
		shade[i] = uint64(256 * k * l.clouds * cover)
	}
	return uint64(256 * k)
}

// apply lights row y of frame n and adds its noise. The shadows lie on the ground and fade out above the horizon.
func (l *light) apply(row []byte, n uint64, y int, sun uint64, shade []uint64) {
	const even = 0x00ff00ff00ff00ff
	shift := l.slant * y / l.height
	start := int(mix64(l.seed^n<<20^uint64(y)) % noiseWords)
	deep := uint64(256 * smooth(horizon-0.16, horizon+0.06, float64(y)/float64(l.height)))
	s := shade[shift : shift+l.words+1]
	for i := range l.words {
		b := row[8*i : 8*i+8 : 8*i+8]
		v, k := binary.LittleEndian.Uint64(b), sun-s[i]*deep>>8
		v = (v&even)*k>>8&even | ((v>>8&even)*k)&^even
		binary.LittleEndian.PutUint64(b, v+l.noise[(start+i)&(noiseWords-1)])
	}
	k := sun - s[l.words]*deep>>8
	for i, v := range row[8*l.words:] {
		row[8*l.words+i] = byte(uint64(v)*k>>8) + byte(l.noise[start]>>(8*i))
	}
}
