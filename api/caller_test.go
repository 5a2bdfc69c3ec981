package api

import "testing"

func TestRoles(t *testing.T) {
	for _, verb := range append(Verbs(), "verb-of-a-later-day") {
		view, prompt, admin := Caller{Role: RoleView}.May(verb), Caller{Role: RolePrompt}.May(verb), Caller{Role: RoleAdmin}.May(verb)
		if view && !prompt || prompt && !admin || !admin || !(Caller{}).May(verb) || (Caller{Role: "guest"}).May(verb) {
			t.Errorf("%s: view %t, prompt %t, admin %t", verb, view, prompt, admin)
		}
	}
	for verb, want := range map[string][2]bool{"snapshot": {true, true}, "prompt": {false, true}, "clear": {false, true}, "model": {false, false}, "record": {false, false}, "zone": {false, false}, "pause": {false, false}} {
		if got := [2]bool{Caller{Role: RoleView}.May(verb), Caller{Role: RolePrompt}.May(verb)}; got != want {
			t.Errorf("%s: view and prompt %v, want %v", verb, got, want)
		}
	}
	if c := CallerOf(WithCaller(t.Context(), Caller{"wall", RoleView})); c.Name != "wall" || CallerOf(t.Context()) != (Caller{}) {
		t.Errorf("%+v", c)
	}
}
