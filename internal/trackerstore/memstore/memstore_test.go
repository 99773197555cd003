package memstore

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/trackerstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/trackerstoretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	trackerstoretest.Run(t, trackerstoretest.Traits{}, func(_ *testing.T, _ string, d *domain.Domain) trackerstore.Store {
		return New(d)
	})
}
