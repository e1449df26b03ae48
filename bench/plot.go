package bench

// Plot is a picture of some of a report's figures.
type Plot struct {
	Name  string // of its file, without the ending
	Title string
	About string
	SVG   []byte
}

// Plots draws what a report has the figures for.
func Plots(*Report) []Plot { return nil }
