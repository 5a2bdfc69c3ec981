package inference

// Type is the name of the element type, as in Port; empty for a tensor without data.
func (t *Tensor) Type() string {
	switch {
	case t.Float32 != nil:
		return "float32"
	case t.Int64 != nil:
		return "int64"
	case t.Int32 != nil:
		return "int32"
	case t.Uint8 != nil:
		return "uint8"
	case t.Bool != nil:
		return "bool"
	}
	return ""
}

// Len is the number of elements.
func (t *Tensor) Len() int {
	return len(t.Float32) + len(t.Int64) + len(t.Int32) + len(t.Uint8) + len(t.Bool)
}
