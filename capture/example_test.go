package capture_test

import (
	"context"
	"fmt"

	"github.com/segedge/segedge/capture"
	"github.com/segedge/segedge/capture/synthetic"
	"github.com/segedge/segedge/frame"
)

// A capture reads its source without pause; whoever takes from the slot gets the newest frame.
func Example() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	pool, latest := frame.NewPool(3), frame.NewLatest()
	c, err := capture.New(capture.Options{
		Open: synthetic.Opener(synthetic.Options{Width: 128, Height: 72, FPS: 100}),
		Pool: pool,
		Out:  latest,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	f, err := latest.Take(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f.Width, f.Height, f.Seq > 0)
	f.Release()
	stop()
	fmt.Println(<-ended)
	latest.Close()
	fmt.Println(pool.Close())
	// Output:
	// 128 72 true
	// <nil>
	// <nil>
}

// Addresses are told apart by what they look like, and are never logged with their passwords.
func ExampleParseSource() {
	spec, err := capture.ParseSource("rtsp://viewer:secret@camera.example/stream")
	fmt.Println(spec.Kind, spec, err)
	// Output: rtsp rtsp://***@camera.example/stream <nil>
}
