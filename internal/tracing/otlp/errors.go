package otlp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// wrongProtocolError says that a connection was made, but that whoever answered
// does not understand the protocol.
type wrongProtocolError struct {
	protocol Protocol
	answered bool // with something that is no answer of this protocol
	err      error
}

func (e wrongProtocolError) Error() string { return fmt.Sprintf("%s: %v", e.protocol, e.err) }
func (e wrongProtocolError) Unwrap() error { return e.err }

// Retryable allows another attempt when the connection broke without an answer:
// a backend that restarts looks like that too.
func (e wrongProtocolError) Retryable() (time.Duration, bool) { return 0, !e.answered }

// unavailableError says that the same request may succeed later.
type unavailableError struct {
	after time.Duration // what the server asked for, or 0
	err   error
}

func (e unavailableError) Error() string { return e.err.Error() }
func (e unavailableError) Unwrap() error { return e.err }

// Retryable tells the caller that it may try again, and after how long.
func (e unavailableError) Retryable() (after time.Duration, ok bool) { return e.after, true }

// explain turns the errors of an encrypted connection into what to do about
// them. Other errors are returned as they are.
func explain(address string, err error) error {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fmt.Errorf("the certificate of %s is not signed by an authority that root_certificates names: %w", address, unknown)
	}
	if record, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Errorf("%s does not speak TLS (insecure: true sends in the clear): %w", address, record)
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return fmt.Errorf("%s does not speak TLS (insecure: true sends in the clear): %w", address, err)
	}
	return err
}

// isCertificate reports whether err is about trust, which time does not heal.
func isCertificate(err error) bool {
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	return verification || authority || record || alert || errors.Is(err, http.ErrSchemeMismatch)
}

// reach connects to address, without saying anything there but the TLS
// handshake. It tells a server that can't be reached from one that speaks
// another protocol, and gives the typed error that gRPC only gives as text.
func reach(ctx context.Context, address string, config *tls.Config) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return unavailableError{err: err}
	}
	defer func() { _ = conn.Close() }()
	if config == nil {
		return nil
	}
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	if err := tls.Client(conn, config).HandshakeContext(ctx); err != nil {
		if isCertificate(err) {
			return explain(address, err)
		}
		return unavailableError{err: fmt.Errorf("TLS handshake with %s (insecure: true sends in the clear): %w", address, err)}
	}
	return nil
}
