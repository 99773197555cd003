package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Limits of connections. Bodies are limited where they are read.
const (
	headerTime  = 60 * time.Second  // to send the request line and headers
	idleTime    = 120 * time.Second // between the requests of a connection
	headerBytes = 12 << 10          // net/http adds 4 KiB of its own
	sendTime    = 60 * time.Second  // to take an answer, on top of the response time-out
)

// Serve answers requests on l until ctx ends, and then drains: new turns are
// refused with 503, those that run may finish within drainTime, the rest is cut
// off. It returns nil after a drain in which everything finished.
func (s *Server) Serve(ctx context.Context, l net.Listener, drainTime time.Duration) error {
	server := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: headerTime,
		WriteTimeout:      s.settings.ResponseTimeout + sendTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // about clients, not about us
	}
	s.warnIfOpen(l.Addr())
	defer s.background.Wait()
	defer s.stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	select {
	case err := <-served:
		return err // the listener broke
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.log.Info("draining: new messages are refused", "drain_time", drainTime)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := server.Shutdown(drain)
	if err != nil {
		s.log.Warn("some turns did not finish in time and are cut off", "err", err)
		err = errors.Join(err, server.Close())
	}
	return errors.Join(err, ended(<-served))
}

// ended is the error of a server that was shut down: none, if that is all.
func ended(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// warnIfOpen says so when anybody who reaches the port may use the whole API.
func (s *Server) warnIfOpen(addr net.Addr) {
	if !s.settings.EnableAPI || s.auth.required() {
		return
	}
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() {
		return
	}
	s.log.Warn("the HTTP API is open: whoever reaches this address can read and change every conversation; "+
		"set --auth-token or --jwt-secret, or listen on localhost only", "address", addr.String())
}

// bounded gives each request its time, and refuses new ones while draining.
func (s *Server) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() && !strings.HasPrefix(r.URL.Path, "/readyz") {
			w.Header().Set("Connection", "close")
			s.fail(w, r, http.StatusServiceUnavailable, "The server is shutting down")
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), s.settings.ResponseTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovered keeps a defect in one request from closing the connection without a
// word.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			switch v {
			case nil:
				return
			case http.ErrAbortHandler:
				panic(v)
			}
			s.log.ErrorContext(r.Context(), "request ended in a panic", "path", r.URL.Path, "err", v, "stack", stack())
			s.fail(w, r, http.StatusInternalServerError, "")
		}()
		next.ServeHTTP(w, r)
	})
}
