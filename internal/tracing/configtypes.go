package tracing

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/tracing/jaeger"
	"github.com/loquat-dev/loquat/internal/tracing/otlp"
)

// readOTLP reads an entry of type otlp. What it leaves out comes from the
// OTEL_EXPORTER_OTLP_* variables.
func (r *configReader) readOTLP(s *section) {
	out := r.readShared(s)
	endpoint := s.text("endpoint")
	if endpoint == "" {
		endpoint = r.env.otlpEndpoint()
	}
	if endpoint == "" && s.node.Pos.Line == 0 {
		endpoint = "http://localhost:4317" // nothing but OTEL_TRACES_EXPORTER=otlp was said
	}
	protocol := s.oneOf("protocol", string(otlp.Auto), string(otlp.GRPC), string(otlp.HTTP), string(otlp.HTTPJSON))
	settings := otlp.Settings{
		Endpoint: endpoint,
		Protocol: otlp.Protocol(firstOf(protocol, r.env.otlpProtocol())),
		Headers:  r.env.otlpHeaders(),
		Gzip:     firstOf(s.oneOf("compression", "gzip", "none"), r.env.otlp("COMPRESSION")) == "gzip",
		Timeout:  seconds(s.number("timeout", 0.001, 3600, r.env.otlpTimeout().Seconds())),
	}
	for name, value := range s.table("headers") {
		settings.Headers[strings.ToLower(name)] = value
	}
	settings.TLS = r.readTLS(s, endpoint)
	s.finish()
	switch {
	case endpoint == "":
		r.problems.Errorf(s.node.Pos, codeEndpoint, "for example: endpoint: \"localhost:4317\"", "tracing of type otlp needs an endpoint")
		return
	case otlp.CheckEndpoint(endpoint) != nil:
		r.problems.Errorf(s.pos("endpoint"), codeEndpoint, "for example: \"localhost:4317\" or \"https://collector.example:4318/v1/traces\"",
			"tracing: endpoint %v", otlp.CheckEndpoint(endpoint))
		return
	}
	out.OTLP = &settings
	r.config.Exporters = append(r.config.Exporters, out)
}

// readTLS follows Rasa's order: an https address is always encrypted, then
// insecure decides, then the environment, then the scheme. It returns nil for a
// connection in the clear.
func (r *configReader) readTLS(s *section, endpoint string) *tls.Config {
	insecure := s.flag("insecure")
	if insecure == nil {
		insecure = r.env.otlpInsecure()
	}
	root := firstOf(s.text("root_certificates"), r.env.otlp("CERTIFICATE"))
	certificate := firstOf(s.text("client_certificate"), r.env.otlp("CLIENT_CERTIFICATE"))
	key := firstOf(s.text("client_key"), r.env.otlp("CLIENT_KEY"))
	encrypted := true
	if !strings.HasPrefix(endpoint, "https://") {
		if insecure != nil {
			encrypted = !*insecure
		} else {
			encrypted = !strings.HasPrefix(endpoint, "http://")
		}
	}
	if !encrypted {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if root != "" {
		pool, err := readPool(root)
		if err != nil {
			r.problems.Errorf(s.pos("root_certificates"), codeCertificate, "", "tracing: root_certificates: %v", err)
		}
		config.RootCAs = pool
	}
	if certificate != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			r.problems.Errorf(s.pos("client_certificate"), codeCertificate, "both client_certificate and client_key name a PEM file",
				"tracing: client certificate: %v", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func readPool(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", path)
	}
	return pool, nil
}

// The transports that an entry of type jaeger may ask for.
const (
	jaegerCompact = "udp_compact"
	jaegerBinary  = "udp_binary"
	jaegerHTTP    = "thrift_http"
	jaegerGRPC    = "otlp_grpc"
	jaegerOTLP    = "otlp_http"
)

// jaegerPorts are the ports that Jaeger listens on.
var jaegerPorts = map[string]int{jaegerCompact: 6831, jaegerBinary: 6832, jaegerHTTP: 14268, jaegerGRPC: 4317, jaegerOTLP: 4318}

const jaegerModelPort = 14250 // Jaeger's own gRPC service, which newer versions dropped

// readJaeger reads an entry of type jaeger. Rasa has meant two things by it:
// Thrift over UDP, and since 3.14 OTLP over gRPC under the same keys. The port
// tells them apart, or the key protocol.
func (r *configReader) readJaeger(s *section) {
	out := r.readShared(s)
	host := firstOf(s.text("host"), "localhost")
	port := int(s.number("port", 1, 65535, 0))
	endpoint := firstOf(s.text("endpoint"), r.env.get("OTEL_EXPORTER_JAEGER_ENDPOINT"))
	user := firstOf(s.text("username"), r.env.get("OTEL_EXPORTER_JAEGER_USER"))
	password := firstOf(s.text("password"), r.env.get("OTEL_EXPORTER_JAEGER_PASSWORD"))
	protocol := s.oneOf("protocol", jaegerCompact, jaegerBinary, jaegerHTTP, jaegerGRPC, jaegerOTLP)
	timeout := seconds(s.number("timeout", 0.001, 3600, r.env.seconds("OTEL_EXPORTER_JAEGER_TIMEOUT", jaeger.DefaultTimeout).Seconds()))
	s.finish()
	if protocol == "" {
		protocol = jaegerProtocol(port, endpoint)
	}
	if protocol == "" {
		r.problems.Errorf(s.pos("port"), codeEndpoint, "use port 4317 (OTLP) or 6831 (Thrift over UDP)",
			"tracing: port %d is Jaeger's own gRPC service, which is not supported", port)
		return
	}
	if port == 0 {
		port = jaegerPorts[protocol]
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	switch protocol {
	case jaegerHTTP:
		if endpoint == "" {
			endpoint = "http://" + address
		}
		if _, err := jaeger.NewHTTP(jaeger.HTTPSettings{Endpoint: endpoint}); err != nil {
			r.problems.Errorf(s.pos("endpoint"), codeEndpoint, "", "tracing: endpoint %v", err)
			return
		}
		out.HTTP = &jaeger.HTTPSettings{Endpoint: endpoint, Username: user, Password: password, Timeout: timeout}
	case jaegerGRPC, jaegerOTLP:
		out.OTLP = &otlp.Settings{Endpoint: address, Protocol: otlp.GRPC, Timeout: timeout, Headers: map[string]string{}}
		if protocol == jaegerOTLP {
			out.OTLP.Protocol = otlp.HTTP
		}
		if user != "" && password != "" {
			out.OTLP.Headers["authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		}
	default:
		out.UDP = &jaeger.UDPSettings{Host: host, Port: port, Format: jaeger.Compact}
		if protocol == jaegerBinary {
			out.UDP.Format = jaeger.Binary
		}
		if user != "" || password != "" {
			r.problems.Warnf(s.pos("username"), codeKey, "protocol: thrift_http or port: 4317 would send it", "tracing: username and password have no effect over UDP")
		}
	}
	r.config.Exporters = append(r.config.Exporters, out)
}

// jaegerProtocol chooses a transport by what was configured; "" means that there
// is none for that port.
func jaegerProtocol(port int, endpoint string) string {
	switch {
	case endpoint != "" || port == jaegerPorts[jaegerHTTP]:
		return jaegerHTTP
	case port == jaegerPorts[jaegerGRPC]:
		return jaegerGRPC
	case port == jaegerPorts[jaegerOTLP]:
		return jaegerOTLP
	case port == jaegerPorts[jaegerBinary]:
		return jaegerBinary
	case port == jaegerModelPort:
		return ""
	default:
		return jaegerCompact
	}
}
