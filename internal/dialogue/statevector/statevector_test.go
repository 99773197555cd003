package statevector

import (
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
)

func conversation() []dialogue.State {
	return []dialogue.State{
		{Action: "action_listen", Intent: "greet"},
		{Action: "utter_greet", Intent: "greet"},
		{Action: "action_listen", Intent: "order", Entities: []string{"city"}, Slots: []dialogue.SlotState{{Name: "size", Features: "[1.0, 0.5]"}}},
	}
}

func TestVectorsAreSortedAndWithoutRepetition(t *testing.T) {
	var table vocab.Table
	var v Vector
	v.Encode(conversation(), table.Add)
	if len(v.Index) == 0 || len(v.Index) != len(v.Value) {
		t.Fatalf("%d columns with %d values", len(v.Index), len(v.Value))
	}
	for i, column := range v.Index {
		if i > 0 && column <= v.Index[i-1] {
			t.Errorf("column %d stands behind %d", column, v.Index[i-1])
		}
		if v.Value[i] <= 0 || v.Value[i] > 1 {
			t.Errorf("column %d has the value %v", column, v.Value[i])
		}
	}
}

func TestUnknownPartsAreLeftOut(t *testing.T) {
	var table vocab.Table
	var v Vector
	v.Encode(conversation(), table.Add)
	known := slices.Clone(v.Index)
	other := conversation()
	other[2].Slots = append(other[2].Slots, dialogue.SlotState{Name: "vip", Features: "[1.0]"})
	v.Encode(other, table.Find)
	if !slices.Equal(v.Index, known) {
		t.Errorf("columns %v, want %v", v.Index, known)
	}
	v.Encode([]dialogue.State{{Action: "never"}}, table.Find)
	if len(v.Index) != 0 {
		t.Errorf("a conversation of unknown parts has the columns %v", v.Index)
	}
}

func TestNothingIsLeftOfAnEarlierConversation(t *testing.T) {
	var table vocab.Table
	var v Vector
	v.Encode(nil, table.Add)
	none := slices.Clone(v.Index)
	v.Encode(conversation(), table.Add)
	v.Encode(nil, table.Find)
	if !slices.Equal(v.Index, none) {
		t.Errorf("without states there are the columns %v, want %v", v.Index, none)
	}
}

// As in Rasa 3.6, a message counts in the state right after it; the state after
// the answer says the same without it.
func TestAMessageCountsRightAfterIt(t *testing.T) {
	count := func(s dialogue.State) int {
		var table vocab.Table
		var v Vector
		v.Encode([]dialogue.State{s}, table.Add)
		return len(v.Index)
	}
	with, without := dialogue.State{Action: "utter_greet", Intent: "greet", Entities: []string{"city"}}, dialogue.State{Action: "utter_greet"}
	if count(with) != count(without) {
		t.Errorf("%d parts with the message, %d without", count(with), count(without))
	}
}

func TestRecent(t *testing.T) {
	states := make([]dialogue.State, 50)
	for max, want := range map[int]int{0: Farthest, 5: 5, 100: Farthest} {
		if got := len(Recent(states, max)); got != want {
			t.Errorf("max_history %d keeps %d states, want %d", max, got, want)
		}
	}
	if got := len(Recent(states[:3], 5)); got != 3 {
		t.Errorf("of three states %d are kept", got)
	}
}
