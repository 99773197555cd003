package app

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/storygraph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// liveGraph serves a page with the stories of a project and of the conversation
// that goes on.
type liveGraph struct {
	paths *paths
	ctx   context.Context // of drawing: a request may be gone before its page is there

	mu   sync.Mutex
	more [][]tracker.Event
	step int // counts calls of show

	drawing sync.Mutex // taken before mu
	page    []byte
	drawn   int // the step that the page shows; 0 before there is one
}

// graphHistory is how many actions tell two paths apart on the page.
const graphHistory = 2

// startGraph serves the page on this machine alone, until stop is called. What
// prevents it is logged: nobody needs the page to go on.
func startGraph(ctx context.Context, o InteractiveOptions) (g *liveGraph, stop func()) {
	g, stop = &liveGraph{paths: &paths{maxHistory: graphHistory}, ctx: ctx, step: 1}, func() {}
	var problems diag.List
	found, err := readPaths(ctx, VisualizeOptions{Domain: o.Paths.Domain, Stories: o.Paths.Data, MaxHistory: graphHistory}, &problems)
	if err != nil {
		o.Serve.Logger.Warn("the graph shows this conversation alone: the project's stories can't be read", "err", err)
	} else {
		g.paths = found
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.GraphPort)))
	if err != nil {
		o.Serve.Logger.Warn("there is no page with the graph of stories; another --port may be free, --skip-visualization goes without", "err", err)
		return g, stop
	}
	server := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: time.Minute, MaxHeaderBytes: 8 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends when it is closed
	}()
	fmt.Fprintf(o.Out, "The graph of stories is at http://%s/\n", listener.Addr())
	return g, func() {
		_ = server.Close()
		<-done
	}
}

// show adds conversations to the graph.
func (g *liveGraph) show(conversations [][]tracker.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.more = conversations
	g.step++
}

// ServeHTTP writes the page. Only this machine's own names are answered, so that
// no web site can read it through a name that leads here.
func (g *liveGraph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	if host != "localhost" && host != "127.0.0.1" {
		http.Error(w, "ask for this page at localhost", http.StatusMisdirectedRequest)
		return
	}
	if r.Method != http.MethodGet || r.URL.Path != "/" && r.URL.Path != "/visualization.html" {
		http.NotFound(w, r)
		return
	}
	page, err := g.draw()
	if err != nil {
		http.Error(w, "the page can't be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", "3")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(page)
}

// draw gives the page of the latest step. It draws each step once: a large project
// takes its time.
func (g *liveGraph) draw() ([]byte, error) {
	g.drawing.Lock()
	defer g.drawing.Unlock()
	g.mu.Lock()
	more, step := g.more, g.step
	g.mu.Unlock()
	if step == g.drawn {
		return g.page, nil
	}
	var page bytes.Buffer
	graph, err := g.paths.graph(g.ctx, more)
	if err != nil {
		return nil, err
	}
	if err := storygraph.WritePage(g.ctx, &page, graph, "Stories, rules and this conversation"); err != nil {
		return nil, err
	}
	g.page, g.drawn = page.Bytes(), step
	return g.page, nil
}
