package outbox_test

import (
	"fmt"
	"log/slog"

	"github.com/segedge/segedge/mqtt/outbox"
)

// Events are journalled before anyone sends them, and are forgotten when the broker has taken them.
func Example() {
	box, err := outbox.Open(outbox.Options{ // Dir makes it survive a crash
		Logger: slog.New(slog.DiscardHandler),
		Explain: func(_, _ string, seq, from, to uint64) ([]byte, error) {
			return fmt.Appendf(nil, `{"seq":%d,"type":"events.dropped","from":%d,"to":%d}`, seq, from, to), nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer box.Close()
	box.Append([]outbox.Entry{{Camera: "yard", Encode: func(_ string, seq uint64) ([]byte, error) {
		return fmt.Appendf(nil, `{"seq":%d,"type":"object.new"}`, seq), nil
	}}})
	reader := box.Reader()
	defer reader.Close()
	for m, ok := reader.Next(0); ok; m, ok = reader.Next(m.Index) {
		fmt.Printf("%s %s\n", m.Camera, m.Body) // here the broker is told
		box.Delivered(m.Index)
	}
	fmt.Println(box.Stats().Pending, "left")
	// Output:
	// yard {"seq":1,"type":"object.new"}
	// 0 left
}
