# "make" alone lists what there is.
.DEFAULT_GOAL := help
export CGO_ENABLED ?= 0
export GO ?= go
# Building and measuring is no usage to report.
export RASA_TELEMETRY_ENABLED ?= false
LDFLAGS := -s -w

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./bin/loquat
	$(GO) build -trimpath -ldflags "$(LDFLAGS)" -o bin/loquat ./cmd/loquat

.PHONY: demo
demo: build ## train and serve examples/starter, talk to it, show each turn's trace
	@scripts/demo

.PHONY: test
test: ## build everything and run the tests; needs only Go
	$(GO) build ./...
	$(GO) test ./...

.PHONY: race
race: ## run the tests with the race detector
	CGO_ENABLED=1 GORACE=atexit_sleep_ms=0 $(GO) test -race -timeout 20m ./...

.PHONY: golden
golden: build ## compare with the recordings of Rasa 3.6.21, a line for each file
	$(GO) run ./internal/golden/cmd/golden

.PHONY: bots
bots: build ## train each sample assistant, greet it over REST, name what is missing
	$(GO) run ./bench/bots

.PHONY: conversations
conversations: build ## play the conversation tests of sample assistants, print passed and total
	$(GO) run ./bench/conversations

.PHONY: bench
bench: build ## print the table of accuracy, speed and memory
	$(GO) run ./bench

.PHONY: bench-dialogue
bench-dialogue: ## print how well policies predict, and what turns cost
	$(GO) run ./bench dialogue

.PHONY: bench-nlu
bench-nlu: build ## print the table of NLU accuracy, speed and memory
	$(GO) run ./bench nlu

.PHONY: bench-encoder
bench-encoder: ## print what the sentence encoder costs, beside ONNX Runtime where Python has it
	$(GO) run ./bench encoder

.PHONY: weights
weights: build ## make the built-in encoder's weights again from the published ones, and compare
	@scripts/weights

.PHONY: fuzz
fuzz: ## run each fuzz test for a few seconds
	@scripts/fuzz

.PHONY: property
property: ## drive assistants at random for 100,000 turns; SEED=n for others
	$(GO) test ./internal/walk -v -count=1 -timeout 20m -turns 100000 -seed $(or $(SEED),1)

.PHONY: lint
lint: ## gofmt, go vet, staticcheck and golangci-lint
	@scripts/lint

.PHONY: interop
interop: build ## test against a real Jaeger, Collector and Python action server (see .ci/backends)
	.ci/backends/env $(GO) test -count=1 ./interop/...

.PHONY: check
check: test race lint ## all that needs only Go

.PHONY: clean
clean: ## remove what was built
	rm -rf bin
