package store

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Own are the folders that somebody put beside the downloaded ones, each with its ONNX files.
func (s *Store) Own() []Status {
	entries, err := os.ReadDir(s.Dir)
	if err != nil {
		return nil
	}
	var out []Status
	for _, e := range entries {
		if m := s.own(e.Name()); len(m.Files) > 0 && !s.Begun(e.Name()) {
			out = append(out, m)
		}
	}
	return out
}

// Begun reports whether a folder is that of a model of the manifest, of which something is there, all of it or not. One that is only called
// so has other ONNX files.
func (s *Store) Begun(name string) bool {
	list := s.List()
	i := slices.IndexFunc(list, func(m Status) bool { return m.Name == name })
	if i < 0 || list[i].Disk == 0 {
		return false
	}
	return list[i].Have || !slices.ContainsFunc(s.own(name).Files, func(f File) bool {
		return !slices.ContainsFunc(list[i].Files, func(of File) bool { return of.Name == f.Name })
	})
}

// own is what a folder has.
func (s *Store) own(name string) Status {
	out := Status{Model: Model{Name: name}, Have: true, Own: true}
	entries, err := os.ReadDir(filepath.Join(s.Dir, name))
	if err != nil {
		return out // a file, or nobody may look
	}
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(s.Dir, name, e.Name())) // links are followed
		if err != nil || st.IsDir() || !strings.EqualFold(filepath.Ext(e.Name()), ".onnx") {
			continue
		}
		out.Files = append(out.Files, File{Name: e.Name(), Size: st.Size()})
		out.Disk += st.Size()
	}
	return out
}

// OwnPaths are the files of a folder of one's own.
func (s *Store) OwnPaths(m Model) []string {
	out := make([]string, len(m.Files))
	for i, f := range m.Files {
		out[i] = s.path(m, f)
	}
	return out
}
