package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/telemetry/receiver"
)

// receiveOptions are the flags of telemetry receive.
type receiveOptions struct {
	out, keyFile, address, certificate, key string
	port, days                              int
}

func newReceiveCommand(env *environment) *cobra.Command {
	o := receiveOptions{}
	cmd := &cobra.Command{
		Use:   "receive",
		Short: "Collect reports of your own installations, in a folder",
		Long: `Receive is a small collector to run yourself. It keeps valid reports as JSON Lines,
a file for each day, and nothing about who sent them. Point installations at it with
LOQUAT_TELEMETRY_ENDPOINT=https://this-machine:5056 and RASA_TELEMETRY_WRITE_KEY.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return receive(cmd.Context(), env, o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "telemetry", "folder that reports are kept in")
	flags.StringVar(&o.keyFile, "key-file", "", "file with the write key (default: RASA_TELEMETRY_WRITE_KEY)")
	flags.StringVarP(&o.address, "interface", "i", "127.0.0.1", "address to listen on")
	flags.IntVarP(&o.port, "port", "p", 5056, "port to listen on")
	flags.IntVar(&o.days, "keep-days", 90, "days after which reports are removed")
	flags.StringVar(&o.certificate, "ssl-certificate", "", "certificate to serve HTTPS with")
	flags.StringVar(&o.key, "ssl-keyfile", "", "key of the certificate")
	return cmd
}

func receive(ctx context.Context, env *environment, o receiveOptions) error {
	if o.days < 1 {
		return usageError{fmt.Errorf("--keep-days must be at least 1, not %d", o.days)}
	}
	key := os.Getenv("RASA_TELEMETRY_WRITE_KEY")
	if o.keyFile != "" {
		data, err := os.ReadFile(o.keyFile)
		if err != nil {
			return fmt.Errorf("--key-file: %w", err)
		}
		key = strings.TrimSpace(string(data))
	}
	store, err := receiver.OpenStore(o.out, o.days, time.Now)
	if err != nil {
		return err
	}
	r, err := receiver.New(store, key, env.logger)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(o.address, strconv.Itoa(o.port)))
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	scheme := "http"
	if o.certificate != "" {
		certificate, err := tls.LoadX509KeyPair(o.certificate, cmp.Or(o.key, o.certificate))
		if err != nil {
			return errors.Join(fmt.Errorf("--ssl-certificate: %w", err), listener.Close())
		}
		scheme = "https"
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	}
	if ip := net.ParseIP(o.address); scheme == "http" && (ip == nil || !ip.IsLoopback()) {
		env.logger.Warn("without --ssl-certificate the write key travels as it is; programs only send to https, or to this machine")
	}
	env.logger.Info("receiving reports", "url", scheme+"://"+listener.Addr().String(), "folder", o.out)
	return serveUntil(ctx, listener, r.Handler())
}

// serveUntil serves with bounds on everything that a client can draw out.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // it names addresses of clients
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return server.Shutdown(ending)
	}
}
