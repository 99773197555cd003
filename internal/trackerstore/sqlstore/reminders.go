package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// withReminders compares days, which is coarse, but needs no knowledge of the
// ways in which ISO 8601 writes times and zones.
const withReminders = `
SELECT DISTINCT sender_id FROM events
WHERE type_name = 'reminder' AND json_valid(data) AND substr(json_extract(data, '$.date_time'), 1, 10) >= ?`

// WithReminders implements trackerstore.ReminderFinder. The conversations are
// read before the first is yielded, so that the caller may use the store.
func (s *Store) WithReminders(ctx context.Context, oldest time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		ids, err := s.withReminders(ctx, oldest.UTC().AddDate(0, 0, -1).Format(time.DateOnly))
		if err != nil {
			yield("", fmt.Errorf("find reminders: %w", err))
			return
		}
		for _, id := range ids {
			if !yield(id, nil) {
				return
			}
		}
	}
}

func (s *Store) withReminders(ctx context.Context, day string) (ids []string, err error) {
	rows, err := s.reader.QueryContext(ctx, withReminders, day)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
