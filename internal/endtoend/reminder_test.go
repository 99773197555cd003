package endtoend

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRemindersSurviveAKilledServer schedules reminders, kills the server before
// they are due, and waits for what the next one makes of them. A third server
// must not repeat them.
func TestRemindersSurviveAKilledServer(t *testing.T) {
	dir := t.TempDir()
	writeProject(t, dir)
	run(t, dir, "train")

	s := startServer(t, dir)
	for user, in := range map[string]time.Duration{"overdue": 0, "coming": 1500 * time.Millisecond, "cancelled": 1500 * time.Millisecond, "later": time.Hour} {
		if err := say(s.url, user, "hello"); err != nil {
			t.Fatal(err)
		}
		events := reminder(in)
		if user == "cancelled" {
			events += `,{"event":"cancel_reminder","name":"r"}`
		}
		query := "?execute_side_effects=true"
		if user == "overdue" {
			query = "" // nothing fires in this process
		}
		postEvents(t, s.url+"/conversations/"+user+"/tracker/events"+query, "["+events+"]")
	}
	s.kill()

	s = startServer(t, dir)
	for user, want := range map[string]int{"overdue": 1, "coming": 1, "cancelled": 0, "later": 0} {
		if got := spokenReminders(t, s.url, user, want); got != want {
			t.Errorf("%s: the reminder spoke %d times, want %d\n%s", user, got, want, s.log)
		}
	}
	s.kill()

	s = startServer(t, dir)
	for _, user := range []string{"overdue", "coming"} {
		if err := say(s.url, user, "hello"); err != nil { // behind everything that was restored
			t.Fatal(err)
		}
		if got := spokenReminders(t, s.url, user, 1); got != 1 {
			t.Errorf("%s: after another restart the reminder has spoken %d times", user, got)
		}
	}
	s.kill()
}

func reminder(in time.Duration) string {
	return fmt.Sprintf(`{"event":"reminder","name":"r","intent":"greet","entities":null,"date_time":%q,"kill_on_user_msg":false}`,
		time.Now().Add(in).UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
}

func postEvents(t *testing.T, url, body string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", url, resp.StatusCode, answer, err)
	}
}

// spokenReminders counts what the reminder made the assistant hear, once there is
// as much as is wanted, or nothing more can be expected.
func spokenReminders(t *testing.T, url, user string, want int) (n int) {
	t.Helper()
	for range 500 {
		resp, err := http.Get(url + "/conversations/" + user + "/tracker?include_events=ALL")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if n = strings.Count(string(body), `"text":"EXTERNAL: greet","parse_data"`); n >= want && want > 0 {
			return n
		}
		if want == 0 {
			return n
		}
		time.Sleep(10 * time.Millisecond)
	}
	return n
}
