package httpapi

import (
	"net/http"
	"slices"
	"strings"
)

// cors lets the pages of listed origins read answers.
//
// Rasa 3.6 allows credentials whatever is configured, also together with "*",
// which it then turns into an echo of any origin, and leaves the headers out of
// its error answers. Here an origin that is listed by name may send credentials,
// "*" allows anybody without them, and errors can be read like answers.
type cors struct {
	origins []string
	any     bool
}

func newCORS(origins []string) *cors {
	return &cors{origins: origins, any: slices.Contains(origins, "*")}
}

const corsMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

func (c *cors) wrap(next http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := c.headers(w.Header(), r.Header.Get("Origin"))
		if allowed && r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			w.Header().Set("Access-Control-Allow-Methods", corsMethods)
			if wanted := r.Header["Access-Control-Request-Headers"]; len(wanted) > 0 {
				w.Header().Set("Access-Control-Allow-Headers", strings.Join(wanted, ", "))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// headers sets what a page of the origin needs to read the answer.
func (c *cors) headers(h http.Header, origin string) bool {
	switch {
	case origin != "" && slices.Contains(c.origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
		h.Add("Vary", "Origin")
	case c.any:
		h.Set("Access-Control-Allow-Origin", "*")
	default:
		h.Add("Vary", "Origin")
		return false
	}
	h.Set("Access-Control-Expose-Headers", "filename")
	return true
}
