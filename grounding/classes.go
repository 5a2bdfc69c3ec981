package grounding

import (
	"slices"
	"strings"
)

// classes are COCO's, in the order of its detectors.
var classes = []string{
	"person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
	"fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
	"elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
	"skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
	"wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
	"broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
	"dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
	"toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
}

// synonyms are other words for classes.
var synonyms = map[string]string{
	"man": "person", "woman": "person", "people": "person", "pedestrian": "person", "child": "person", "human": "person",
	"bike": "bicycle", "cyclist": "bicycle", "automobile": "car", "vehicle": "car", "motorbike": "motorcycle",
	"plane": "airplane", "aeroplane": "airplane", "aircraft": "airplane", "lorry": "truck", "ship": "boat",
	"ball": "sports ball", "football": "sports ball", "mug": "cup", "coffee": "cup", "glass": "wine glass", "sofa": "couch",
	"plant": "potted plant", "table": "dining table", "television": "tv", "screen": "tv", "monitor": "tv",
	"phone": "cell phone", "smartphone": "cell phone", "mobile": "cell phone", "fridge": "refrigerator", "bag": "handbag",
	"puppy": "dog", "kitten": "cat", "hairdryer": "hair drier", "doughnut": "donut", "bear toy": "teddy bear", "teddy": "teddy bear",
}

// ClassOf is the class that a phrase names: the phrase itself, else its last words, in singular or plural, with or without an article or
// adjectives; -1 for none.
func ClassOf(phrase string) int {
	words := strings.Fields(strings.ToLower(strings.TrimSpace(phrase)))
	for len(words) > 0 {
		p := strings.Join(words, " ")
		for _, w := range []string{p, strings.TrimSuffix(p, "s"), strings.TrimSuffix(p, "es")} {
			if s, ok := synonyms[w]; ok {
				w = s
			}
			if i := slices.Index(classes, w); i >= 0 {
				return i
			}
		}
		words = words[1:]
	}
	return -1
}
