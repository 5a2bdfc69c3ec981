// Command sbom writes the SPDX 2.3 document of a Go program: its modules with their versions and hashes, read from the program itself, and
// the files that are shipped beside it. It knows nothing of a distribution's packages: those are the package's dependencies.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

type document struct {
	SPDXVersion       string         `json:"spdxVersion"`
	DataLicense       string         `json:"dataLicense"`
	SPDXID            string         `json:"SPDXID"`
	Name              string         `json:"name"`
	DocumentNamespace string         `json:"documentNamespace"`
	CreationInfo      creation       `json:"creationInfo"`
	Packages          []component    `json:"packages"`
	Relationships     []relationship `json:"relationships"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type component struct {
	SPDXID           string      `json:"SPDXID"`
	Name             string      `json:"name"`
	VersionInfo      string      `json:"versionInfo,omitempty"`
	DownloadLocation string      `json:"downloadLocation"`
	FilesAnalyzed    bool        `json:"filesAnalyzed"`
	Checksums        []checksum  `json:"checksums,omitempty"`
	ExternalRefs     []reference `json:"externalRefs,omitempty"`
	Comment          string      `json:"comment,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type reference struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	Element string `json:"spdxElementId"`
	Related string `json:"relatedSpdxElement"`
	Type    string `json:"relationshipType"`
}

// sbom VERSION EPOCH PROGRAM [FILE…] writes to standard output.
func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: sbom VERSION SECONDS-SINCE-1970 PROGRAM [FILE…]")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3], os.Args[4:]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(version, epoch, program string, files []string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	var seconds int64
	if _, err := fmt.Sscan(epoch, &seconds); err != nil {
		return fmt.Errorf("%q is no number of seconds: %w", epoch, err)
	}
	sum, err := hash(program)
	if err != nil {
		return err
	}
	main := component{
		SPDXID: "SPDXRef-segedge", Name: "segedge", VersionInfo: version, DownloadLocation: "NOASSERTION", Checksums: []checksum{{"SHA256", sum}},
		Comment: "built with " + info.GoVersion,
	}
	d := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: "SPDXRef-DOCUMENT", Name: "segedge-" + version,
		DocumentNamespace: "https://github.com/segedge/segedge/sbom/" + version + "/" + sum[:16],
		CreationInfo:      creation{Created: time.Unix(seconds, 0).UTC().Format(time.RFC3339), Creators: []string{"Tool: segedge-sbom"}},
		Packages:          []component{main},
		Relationships:     []relationship{{"SPDXRef-DOCUMENT", main.SPDXID, "DESCRIBES"}},
	}
	for i, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		d.add(component{
			SPDXID: fmt.Sprintf(
				"SPDXRef-module-%d",
				i,
			),
			Name:             m.Path,
			VersionInfo:      m.Version,
			DownloadLocation: "NOASSERTION",
			Comment:          strings.TrimSpace("go.sum " + m.Sum),
			ExternalRefs:     []reference{{"PACKAGE-MANAGER", "purl", "pkg:golang/" + m.Path + "@" + m.Version}},
		}, main.SPDXID)
	}
	for i, f := range files {
		sum, err := hash(f)
		if err != nil {
			return err
		}
		d.add(
			component{
				SPDXID:           fmt.Sprintf("SPDXRef-file-%d", i),
				Name:             filepath.Base(f),
				DownloadLocation: "NOASSERTION",
				Checksums:        []checksum{{"SHA256", sum}},
			},
			main.SPDXID,
		)
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", " ")
	return e.Encode(d)
}

func (d *document) add(c component, of string) {
	d.Packages = append(d.Packages, c)
	d.Relationships = append(d.Relationships, relationship{of, c.SPDXID, "DEPENDS_ON"})
}

func hash(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
