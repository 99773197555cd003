package actionsdk

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// ListenAndServe serves HTTP on an address such as ":5055" until ctx ends; then
// it takes no more requests, lets running actions finish within Grace, and
// returns nil.
func (s *Server) ListenAndServe(ctx context.Context, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// Serve is ListenAndServe on a listener, which it closes.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	// Actions run on after ctx ends: their context is that of the request.
	h := &http.Server{
		Handler: s.Handler(), TLSConfig: s.TLS,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
	}
	failed := make(chan error, 1)
	go func() {
		if s.TLS != nil {
			failed <- h.ServeTLS(l, "", "")
			return
		}
		failed <- h.Serve(l)
	}()
	s.logger().Info("action server is ready", "address", l.Addr().String(), "actions", len(s.names))
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace := s.Grace
	if grace <= 0 {
		grace = 10 * time.Second
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := h.Shutdown(closing); err != nil {
		return errors.Join(err, h.Close()) // actions that would not end
	}
	return nil
}
