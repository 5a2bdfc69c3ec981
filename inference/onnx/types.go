package onnx

import (
	"fmt"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/segedge/segedge/inference"
)

func elementType(name string) ort.TensorElementDataType {
	switch name {
	case "float32":
		return ort.TensorElementDataTypeFloat
	case "int64":
		return ort.TensorElementDataTypeInt64
	case "int32":
		return ort.TensorElementDataTypeInt32
	case "uint8":
		return ort.TensorElementDataTypeUint8
	case "bool":
		return ort.TensorElementDataTypeBool
	}
	return ort.TensorElementDataTypeUndefined
}

func newValue(t ort.TensorElementDataType, s ort.Shape) (ort.Value, error) {
	switch t {
	case ort.TensorElementDataTypeFloat:
		return value(ort.NewEmptyTensor[float32](s))
	case ort.TensorElementDataTypeInt64:
		return value(ort.NewEmptyTensor[int64](s))
	case ort.TensorElementDataTypeInt32:
		return value(ort.NewEmptyTensor[int32](s))
	case ort.TensorElementDataTypeUint8:
		return value(ort.NewEmptyTensor[uint8](s))
	case ort.TensorElementDataTypeBool:
		return value(ort.NewEmptyTensor[bool](s))
	}
	return nil, fmt.Errorf("values of type %v are not supported", t)
}

// kept is a value that knows what C calls it: asked for that, the binding's own values make a pointer anew for each call.
type kept struct {
	ort.Value
	inner *ort.ValueInternalData
}

func keep(v ort.Value) ort.Value { return &kept{v, v.GetInternals()} }

func (k *kept) GetInternals() *ort.ValueInternalData { return k.inner }

// unwrap is the value's memory as a tensor.
func unwrap(v ort.Value) (inference.Tensor, error) {
	t := inference.Tensor{Shape: v.GetShape()}
	if k, ok := v.(*kept); ok {
		v = k.Value
	}
	switch v := v.(type) {
	case *ort.Tensor[float32]:
		t.Float32 = v.GetData()
	case *ort.Tensor[int64]:
		t.Int64 = v.GetData()
	case *ort.Tensor[int32]:
		t.Int32 = v.GetData()
	case *ort.Tensor[uint8]:
		t.Uint8 = v.GetData()
	case *ort.Tensor[bool]:
		t.Bool = v.GetData()
	default:
		return t, fmt.Errorf("it has a type that is not supported (%T): export the model with float32 outputs", v)
	}
	return t, nil
}
