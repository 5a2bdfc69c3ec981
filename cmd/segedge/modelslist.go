package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/segedge/segedge/config"
	"github.com/segedge/segedge/inference"
	"github.com/segedge/segedge/inference/memory"
	"github.com/segedge/segedge/inference/store"
	"github.com/segedge/segedge/models"
)

type modelsListCmd struct {
	storeFlags
	JSON bool `name:"json" help:"Print the list as JSON."`
}

func (c *modelsListCmd) Run(e *env) error {
	s, err := c.open()
	if err != nil {
		return err
	}
	list := append(s.List(), ownModels(s)...)
	if c.JSON {
		return json.NewEncoder(e.stdout).Encode(list)
	}
	return printModels(e.stdout, list)
}

// ownModels are the folders of one's own, with what is recognised in them.
func ownModels(s *store.Store) []store.Status {
	list := slices.DeleteFunc(s.Own(), func(m store.Status) bool { return builtIn(config.Model{Name: m.Name}) })
	for i := range list {
		m := &list[i]
		var files []inference.File
		for _, p := range s.OwnPaths(m.Model) {
			files = append(files, inference.File{Path: p})
		}
		m.Family, m.About = ownFamily(files, m.Name)
	}
	return list
}

// ownFamily is the family of files, and what the list says of them.
func ownFamily(files []inference.File, name string) (family, about string) {
	if r, err := memory.Recognise(files...); err == nil {
		return r.Name, "your own folder: a video model, by whose memory cameras follow"
	}
	r, err := inference.Recognise("", files...)
	if err != nil {
		return "?", "your own folder: `segedge models inspect " + name + "` says why it is not recognised"
	}
	return r.Family.Name, "your own folder"
}

// printModels prints the list for people, the built-in model first.
func printModels(w io.Writer, list []store.Status) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "name\tfamily\there\tspeed\tlicence\twhat it is")
	fmt.Fprintf(t, "%s\tsegedge\tyes\tcpu\tApache-2.0\tthe default, inside the program\n", models.Name)
	for _, m := range list {
		here := "no"
		if m.Have {
			here = "yes"
		}
		fmt.Fprintln(t, strings.Join([]string{m.Name, m.Family, here, cmp.Or(m.Speed, "-"), cmp.Or(m.License, "-"), m.About}, "\t"))
	}
	return t.Flush()
}
