package plot

import "github.com/loquat-dev/loquat/internal/evaluate"

// Of draws the pictures of an evaluation, each as PNG and SVG: the confusion
// matrix, and the histogram if there are confidences.
func Of(e *evaluate.Evaluation) ([]evaluate.File, error) {
	if len(e.Pairs) == 0 {
		return nil, nil
	}
	files, err := Files(e.Name+"_confusion_matrix", ConfusionMatrix(e.What+" confusion matrix", evaluate.NewMatrix(e.Pairs)))
	if err != nil || len(e.Right)+len(e.Wrong) == 0 {
		return files, err
	}
	histogram, err := Files(e.Name+"_histogram", Histogram(e.What+" prediction confidence distribution", e.Right, e.Wrong))
	return append(files, histogram...), err
}

// Files gives a picture as the two files of a name.
func Files(name string, p *Picture) ([]evaluate.File, error) {
	png, err := p.PNG()
	if err != nil {
		return nil, err
	}
	return []evaluate.File{{Name: name + ".png", Data: png}, {Name: name + ".svg", Data: p.SVG()}}, nil
}
