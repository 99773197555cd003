package cli

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/loquat-dev/loquat/internal/app"
)

func newRunCommand(env *environment) *cobra.Command {
	o := app.ServeOptions{}
	logFile := ""
	cmd := &cobra.Command{
		Use:   "run [model]",
		Short: "Serve a model over HTTP",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			takeModel(env, cmd, args, &o.Model)
			if logFile != "" {
				w, file, err := app.LogFile(env.Err, logFile)
				if err != nil {
					return err
				}
				defer file.Close()
				env.logTo(w)
			}
			o.Logger, o.TraceOutput, o.Telemetry = env.logger, env.Err, env.telemetry
			return app.Serve(cmd.Context(), o)
		},
	}
	addServeFlags(cmd.Flags(), &o)
	cmd.Flags().StringVar(&logFile, "log-file", "", "write the log to this file too")
	cmd.AddCommand(&cobra.Command{
		Use:   "actions",
		Short: "Not part of Loquat: run your action server with rasa-sdk",
		RunE: func(*cobra.Command, []string) error {
			return errNotBuilt("run actions", "actions written in Python run in their own server: python -m rasa_sdk --actions actions")
		},
		DisableFlagParsing: true,
	})
	return cmd
}

func addServeFlags(flags *pflag.FlagSet, o *app.ServeOptions) {
	addModelFlag(flags, &o.Model)
	addEndpointsFlag(flags, &o.Endpoints)
	flags.StringVar(&o.Credentials, "credentials", "credentials.yml", "channels and what they need")
	flags.StringVar(&o.Connector, "connector", "", "serve this one channel of the credentials file only")
	flags.StringVarP(&o.Interface, "interface", "i", "0.0.0.0", "address to listen on")
	flags.IntVarP(&o.Port, "port", "p", 5005, "port to listen on")
	flags.BoolVar(&o.EnableAPI, "enable-api", false, "serve the HTTP API beside the channels")
	flags.StringVarP(&o.AuthToken, "auth-token", "t", "", "token that API requests must carry (AUTH_TOKEN)")
	flags.StringVar(&o.JWTSecret, "jwt-secret", "", "secret or public key of JSON Web Tokens (JWT_SECRET)")
	flags.StringVar(&o.JWTMethod, "jwt-method", "", "algorithm of JSON Web Tokens, HS256 if none is named (JWT_METHOD)")
	flags.StringVar(&o.JWTPrivateKey, "jwt-private-key", "", "private key of asymmetric algorithms; not needed to verify tokens (JWT_PRIVATE_KEY)")
	flags.StringArrayVar(&o.CORS, "cors", nil, "origins that browsers may call from; \"*\" for any")
	annotate(flags, "cors", takesList)
	flags.IntVar(&o.ResponseTimeoutSeconds, "response-timeout", 3600, "seconds after which a request is answered, whatever has been said by then")
	flags.StringVar(&o.TLS.Certificate, "ssl-certificate", "", "certificate to serve HTTPS with")
	flags.StringVar(&o.TLS.Key, "ssl-keyfile", "", "key of the certificate")
	flags.StringVar(&o.TLS.CA, "ssl-ca-file", "", "further certificates of the chain")
	flags.StringVar(&o.TLS.Password, "ssl-password", "", "password of the key")
	flags.BoolVar(&o.Trace, "trace", false, "print the tree of spans of each turn")
	flags.BoolVar(&o.InMemory, "in-memory", false, "keep conversations in memory instead of .loquat/conversations.db")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", 20*time.Second, "how long running turns may take to end on shutdown")
	flags.StringVar(&o.RemoteStorage, "remote-storage", "", "not built yet: fetch the model from aws, gcs or azure")
}
