package web

import "testing"

// What has changed since the list before makes a whole list of it; what goes on from another list makes none.
func TestPageAddsChangesUp(t *testing.T) {
	b := openPage(t)
	got := eval[string](b, `import("./js/lists.js").then(({ Lists }) => {
		const lists = new Lists(), said = [];
		const hear = (m) => { const l = lists.whole(m); said.push(l ? l.frame.seq + " " + l.objects.map((o) => [o.id, o.name, o.age, o.mask_age, JSON.stringify(o.outline), "candidates" in o].join(",")).join(" ") : "-"); };
		hear({ type: "delta", base: 1, seq: 2, objects: [] });
		hear({ type: "objects", frame: { seq: 5 }, objects: [{ id: "a", name: "x", age: 3, mask_age: 1, outline: [[0.1, 0.2]], candidates: [] }, { id: "b", name: "y", age: 1, mask_age: 1 }] });
		hear({ type: "delta", base: 5, seq: 7, objects: [{ id: "a", mask_age: 0, candidates: null, rings: [[500, 250, -100, 50]] }, { id: "c", name: "z", age: 0, mask_age: 0 }], gone: ["b"] });
		hear({ type: "delta", base: 6, seq: 8, objects: [] });
		hear({ type: "delta", base: 7, seq: 8, objects: [] });
		lists.forget();
		hear({ type: "delta", base: 8, seq: 9, objects: [] });
		return said.join("\n");
	})`)
	want := "-\n5 a,x,3,1,[[0.1,0.2]],true b,y,1,1,,false\n7 a,x,5,0,[[0.5,0.25,0.4,0.3]],false c,z,0,0,,false\n-\n8 a,x,6,1,[[0.5,0.25,0.4,0.3]],false c,z,1,1,,false\n-"
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
