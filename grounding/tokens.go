package grounding

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// marks are what is written for an apostrophe, a comma, "or" and "and".
var marks = strings.NewReplacer(
	"’", "'", "‘", "'", "`", "'", ";", ",", "、", ",", "，", ",", "/", " or ", "|", " or ", "&", " and ", "+", " and ",
)

// split takes a text apart into words in lower case: letters, digits and the marks on them in one form (Unicode, annex 15), an apostrophe
// between two of them, but no possessive. What separates and joins becomes ",", "or" and "and"; anything else goes.
func split(text string) (out []string) {
	text = norm.NFKC.String(strings.ToLower(text))
	text = marks.Replace(text)
	start := -1
	word := func(end int) {
		if start >= 0 {
			s := strings.Trim(text[start:end], "'")
			if s = strings.TrimSuffix(s, "'s"); s != "" {
				out = append(out, s)
			}
		}
		start = -1
	}
	for i, r := range text {
		inWord := unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '\'' || r == '\u200d' || r == '\u200c'
		switch {
		case inWord && start < 0:
			start = i
		case !inWord:
			word(i)
			if r == ',' {
				out = append(out, ",")
			}
		}
	}
	word(len(text))
	return out
}

// tokens are the words of a phrase, those of other languages as the grammar knows them.
func (w *Words) tokens(text string) (out []string) {
	var said []string
	for _, s := range split(text) {
		said = append(said, w.unspaced(s)...)
	}
	for i := 0; i < len(said); {
		n := min(w.longest, len(said)-i)
		for ; n > 0; n-- {
			p := strings.Join(said[i:i+n], " ")
			if word, ok := w.said[p]; ok {
				out = append(out, word)
				break
			} else if _, ok := w.names[p]; ok && n > 1 {
				out = append(out, said[i:i+n]...)
				break
			}
		}
		if n == 0 {
			out = append(out, said[i])
			n = 1
		}
		i += n
	}
	return out
}

// unspaced takes a word apart that is written in a script without blanks, into the longest that are known.
func (w *Words) unspaced(s string) (out []string) {
	runes := []rune(s)
	if !unicode.In(runes[0], unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
		return []string{s}
	}
	unknown := ""
	for i := 0; i < len(runes); {
		n := len(runes) - i
		for ; n > 0; n-- {
			p := string(runes[i : i+n])
			_, isName := w.names[p]
			if _, isWord := w.said[p]; isName || isWord {
				break
			}
		}
		if n == 0 {
			unknown += string(runes[i])
			i++
			continue
		}
		if unknown != "" {
			out, unknown = append(out, unknown), ""
		}
		out = append(out, string(runes[i:i+n]))
		i += n
	}
	if unknown != "" {
		out = append(out, unknown)
	}
	return out
}
