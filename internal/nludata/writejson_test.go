package nludata_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

const inYAML = `version: "3.1"
nlu:
- intent: greet
  metadata: {a: 1}
  examples: |
    - hello [Rome](city) and [paris]{"entity":"city","role":"to","group":"g","value":"Paris"}
    - hi <&>
- intent: faq/q1
  examples:
  - text: "what [x](y)"
    metadata: {sentiment: 1.5}
- synonym: Rome
  examples: |
    - roma
- regex: zip
  examples: |
    - \d{5}
- lookup: city
  examples: |
    - Rome
    - Paris
`

// inJSON is what "rasa data convert nlu -f json" 3.6.21 writes, in fewer lines.
const inJSON = `{
  "rasa_nlu_data": {
    "common_examples": [
      {
        "text": "hello Rome and paris",
        "intent": "greet",
        "entities": [
          {
            "start": 6,
            "end": 10,
            "value": "Rome",
            "entity": "city"
          },
          {
            "start": 15,
            "end": 20,
            "value": "Paris",
            "entity": "city",
            "role": "to",
            "group": "g"
          }
        ],
        "metadata": {
          "intent": {
            "a": 1
          }
        }
      },
      {
        "text": "hi <&>",
        "intent": "greet",
        "metadata": {
          "intent": {
            "a": 1
          }
        }
      },
      {
        "text": "what x",
        "intent": "faq/q1",
        "entities": [
          {
            "start": 5,
            "end": 6,
            "value": "x",
            "entity": "y"
          }
        ],
        "metadata": {
          "example": {
            "sentiment": 1.5
          }
        }
      }
    ],
    "regex_features": [
      {
        "name": "zip",
        "pattern": "\\d{5}"
      }
    ],
    "lookup_tables": [
      {
        "name": "city",
        "elements": [
          "Rome",
          "Paris"
        ]
      }
    ],
    "entity_synonyms": [
      {
        "value": "Paris",
        "synonyms": [
          "paris"
        ]
      },
      {
        "value": "Rome",
        "synonyms": [
          "roma"
        ]
      }
    ]
  }
}
`

func TestJSONIsThatOfRasa(t *testing.T) {
	var problems diag.List
	data := nludata.Read(yamlfile.Parse([]byte(inYAML), "nlu.yml", &problems), &problems)
	got, err := data.JSON()
	if err != nil || problems.HasErrors() {
		t.Fatal(err, problems.Err())
	}
	if string(got) != inJSON {
		t.Errorf("got\n%s", got)
	}
	back := nludata.ReadJSON(got, "nlu.json", &problems)
	if what := nludata.Same(data, back); what != "" || problems.HasErrors() {
		t.Errorf("%s differs after a round trip; %v", what, problems.Err())
	}
}
