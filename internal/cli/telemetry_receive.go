package cli

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/telemetry/receiver"
)

// receiveOptions are the flags of telemetry receive.
type receiveOptions struct {
	out, keyFile, address string
	port, days            int
	tls                   app.TLSFiles
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
	flags.StringVar(&o.tls.Certificate, "ssl-certificate", "", "certificate to serve HTTPS with")
	flags.StringVar(&o.tls.Key, "ssl-keyfile", "", "key of the certificate")
	return cmd
}

func receive(ctx context.Context, env *environment, o receiveOptions) error {
	key := os.Getenv("RASA_TELEMETRY_WRITE_KEY")
	if o.keyFile != "" {
		data, err := os.ReadFile(o.keyFile)
		if err != nil {
			return fmt.Errorf("--key-file: %w", err)
		}
		key = strings.TrimSpace(string(data))
	}
	r, err := receiver.Open(o.out, o.days, key, env.logger)
	if err != nil {
		return err
	}
	listener, err := app.Listen(o.address, o.port, o.tls)
	if err != nil {
		return err
	}
	scheme := "https"
	if o.tls.Certificate == "" {
		scheme = "http"
		if ip := net.ParseIP(o.address); o.address != "localhost" && !ip.IsLoopback() {
			env.logger.Warn("without --ssl-certificate the write key travels as it is; programs only send to https, or to this machine")
		}
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
