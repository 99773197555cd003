package sqlstore

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
)

// Config is what endpoints.yml may set for a tracker store of type SQL. The keys
// are Rasa's.
type Config struct {
	Dialect  string            `yaml:"dialect"` // SQLAlchemy's name; "sqlite" is what is built
	URL      string            `yaml:"url"`     // host, or everything at once if it contains "://"
	Port     int               `yaml:"port"`
	Username string            `yaml:"username"`
	Password string            `yaml:"password"`
	DB       string            `yaml:"db"`       // SQLite: the file
	LoginDB  string            `yaml:"login_db"` // PostgreSQL only
	Query    map[string]string `yaml:"query"`

	MustExist bool `yaml:"-"` // a file that is missing is an error, fs.ErrNotExist
}

// DefaultConfig has Rasa's defaults.
func DefaultConfig() Config { return Config{Dialect: "sqlite", DB: "rasa.db"} }

// file returns the SQLite file that the configuration names. The error is a
// diag.Problem without a position.
func (c Config) file() (string, error) {
	dialect, db := c.Dialect, c.DB
	if strings.Contains(c.URL, "://") {
		// sqlite:///relative.db and sqlite:////absolute.db, as SQLAlchemy has it.
		scheme, rest, _ := strings.Cut(c.URL, "://")
		dialect = scheme
		if path, query, _ := strings.Cut(rest, "?"); query == "" {
			db = strings.TrimPrefix(path, "/")
		}
	}
	name, _, _ := strings.Cut(strings.ToLower(dialect), "+")
	if name != "sqlite" {
		return "", diag.Problem{
			Code:    "unbuilt-dialect",
			Message: fmt.Sprintf("the tracker store's SQL dialect %q is not built yet", dialect),
			Hint:    `built: "sqlite"; without a tracker_store conversations are kept in a SQLite file as well`,
		}
	}
	if db == "" || db == ":memory:" {
		return "", diag.Problem{
			Code:    "bad-value",
			Message: fmt.Sprintf("the SQLite tracker store needs a file under \"db\", not %q", db),
			Hint:    "for conversations in memory leave out tracker_store and run with --in-memory",
		}
	}
	return db, nil
}

// dsn is how the driver is told to open a file.
func dsn(file string, pragmas ...string) string {
	options := url.Values{"_pragma": append([]string{
		"busy_timeout(10000)", // ms; another process may be exporting
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
	}, pragmas...)}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: options.Encode()}).String()
}
