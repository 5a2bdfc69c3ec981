// Package spelling says how far apart two words are spelt, so that who mistypes one is told which was meant. It knows no words itself.
package spelling

// longest is the length in bytes from which on words are not compared: what is so long is no word.
const longest = 64

// Distance is how many bytes have to be changed, put in or taken out to make one word of the other (Levenshtein); the length of the longer
// one where one is longer than 64 bytes.
func Distance(a, b string) int {
	if max(len(a), len(b)) > longest {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
