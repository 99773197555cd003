package endtoend

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// background is a command that runs until it is stopped.
type background struct {
	t   *testing.T
	cmd *exec.Cmd
	log *lockedBuffer
	url string
	dir string
	env map[string]string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// start runs a command until ready says so, at most half a minute.
func (i *installation) start(ready func() bool, args ...string) *background {
	i.t.Helper()
	b := &background{t: i.t, cmd: exec.Command(program(i.t), args...), log: &lockedBuffer{}}
	b.cmd.Dir, b.cmd.Env = i.dir, i.environ()
	b.cmd.Stdout, b.cmd.Stderr = b.log, b.log
	if err := b.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = b.cmd.Process.Kill() })
	for range 3000 {
		if ready() {
			return b
		}
		time.Sleep(10 * time.Millisecond)
	}
	i.t.Fatalf("loquat %s does not answer:\n%s", strings.Join(args, " "), b.log)
	return nil
}

// stop ends the command as an operator would, and waits.
func (b *background) stop() {
	b.t.Helper()
	err := errors.Join(b.cmd.Process.Signal(syscall.SIGTERM), b.cmd.Wait())
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() > 0 {
		b.t.Errorf("the command ended with %v:\n%s", err, b.log)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serve runs the project's server, which forgets its conversations.
func (i *installation) serve(args ...string) *background {
	i.t.Helper()
	if len(args) == 0 {
		args = []string{"--enable-api"}
	}
	return i.serveKeeping(append(args, "--in-memory")...)
}

// serveKeeping runs the project's server.
func (i *installation) serveKeeping(args ...string) *background {
	i.t.Helper()
	port := freePort(i.t)
	url := "http://127.0.0.1:" + port
	b := i.start(func() bool {
		response, err := http.Get(url + "/")
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil
	}, append([]string{"run", "--interface", "127.0.0.1", "--port", port}, args...)...)
	b.url = url
	return b
}

// receive runs telemetry receive with a certificate that the installation trusts.
func (i *installation) receive() *background {
	i.t.Helper()
	dir := i.t.TempDir()
	certificate := makeCertificate(i.t, dir)
	port := freePort(i.t)
	b := i.with(map[string]string{"RASA_TELEMETRY_WRITE_KEY": "key"}).start(func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	}, "telemetry", "receive", "--out", filepath.Join(dir, "reports"), "--port", port, "--ssl-certificate", certificate)
	b.dir = filepath.Join(dir, "reports")
	b.env = map[string]string{"LOQUAT_TELEMETRY_ENDPOINT": "https://127.0.0.1:" + port, "RASA_TELEMETRY_WRITE_KEY": "key", "SSL_CERT_FILE": certificate}
	return b
}

// makeCertificate writes a certificate for this machine with its key.
func makeCertificate(t *testing.T, dir string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cert.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
