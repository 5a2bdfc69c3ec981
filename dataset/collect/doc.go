// Package collect is the memory of the data engine: pictures and masks that people confirmed, refined or rejected, or that a model
// proposes to them, kept as JPEG and SA-1B JSON in a folder that is bounded by size and age, with faces, number plates and, where asked,
// people made unrecognisable before anything is written. It neither segments nor finds faces itself; who does is handed in.
package collect
