# segedge: make run starts it, make test tests it, make help lists the rest.

SOURCE ?= synthetic
LISTEN ?= 127.0.0.1:8080
ARGS   ?=
FPS    ?= 24
PREFIX ?= /usr/local
VERSION := $(shell git describe --tags --always --abbrev=12 --dirty 2>/dev/null || echo dev)

export CGO_CXXFLAGS ?= -O2 -g0
GO := go
LDFLAGS := -X main.version=$(VERSION)

.PHONY: run test build deps test-deps lint audit dist test-package test-systemd test-homeassistant test-strangers release sensitivity latency nocgo unit race e2e bench fuzz kills install uninstall clean help

run: build ## start the agent: SOURCE=/dev/video0|file.mp4|rtsp://…|'gst: …', LISTEN=:8080 opens it to the network
	bin/segedge run --source '$(SOURCE)' --listen '$(LISTEN)' $(ARGS)

build: deps ## build bin/segedge
	@$(GO) build -ldflags '$(LDFLAGS)' -o bin/segedge ./cmd/segedge

deps: ## install what building and running needs, if it is missing
	@scripts/need-go.sh
	@scripts/packages.sh build
	@scripts/onnxruntime.sh

test-deps: deps
	@scripts/packages.sh test

test: test-deps build lint audit nocgo unit race e2e ## lint, unit tests, those with concurrency under the race detector, end-to-end tests

lint: ## gofmt, vet, staticcheck and golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt these:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	@scripts/tool.sh golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

audit: build ## known vulnerabilities in what the program is linked from, where Go's database can be reached
	@scripts/audit.sh

nocgo: ## everything but the leaves builds without C, its tests too
	CGO_ENABLED=0 $(GO) vet $$(scripts/packages-without-cgo.sh)

unit: ## unit tests at full speed: the packages without concurrency, and those with tests too long for the race detector
	$(GO) test -timeout 20m $$(scripts/test-packages.sh unit)

race: ## under the race detector: the packages with goroutines or locks, but for the long tests in which it has nothing to see (-short)
	$(GO) test -race -short -timeout 20m $$(scripts/test-packages.sh race)

e2e: build ## the whole agent against mosquitto, Chromium and a WebRTC peer
	$(GO) test -count=1 -timeout 15m ./e2e

bench: build ## stage costs at 480p and 720p with 1, 10 and 50 objects, then fifty by the clock
	bin/segedge bench
	bin/segedge bench --objects 50 --size 854x480 --frames 300 --realtime 30

latency: build ## from the camera to the screen, as a table: LATENCY=60s a row, VIEWERS=8 with one throttled and one stopped (needs Chromium)
	@mkdir -p build
	@SEGEDGE_TEST_LATENCY=$(or $(LATENCY),60s) SEGEDGE_TEST_VIEWERS=$(or $(VIEWERS),8) $(GO) test ./e2e -count=1 -timeout 1h -v -run '^TestLatencyTable$$' > build/latency.log 2>&1 \
	  || { tail -n 50 build/latency.log; exit 1; }
	@grep -q SKIP build/latency.log && tail -n 5 build/latency.log || sed -nE 's/.*latency_test.go:[0-9]+: (.*)$$/\1/p' build/latency.log

sensitivity: build ## what a fifth more or less of each of the tracker's numbers changes: DATA=FOLDER with annotated video, ARGS='--only …'; resumable
	bin/segedge eval sensitivity $(if $(DATA),--data $(DATA) --fps $(FPS)) $(ARGS)

FUZZTIME ?= 30s
fuzz: ## half a minute for every decoder; FUZZTIME=1000000x for a million executions of each, a line each
	@for t in $$(grep -rlE '^func Fuzz' --include='*_test.go' . ); do \
	  for f in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9]+).*/\1/p' $$t); do \
	    out=$$($(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x -parallel 1 ./$$(dirname $$t)) || { echo "$$out"; exit 1; }; \
	    echo "| \`$$(dirname $$t | cut -c3-)\` $$f | $$(echo "$$out" | sed -nE 's/.*elapsed: ([^,]+), execs: ([0-9]+).*/\2 | \1 |/p' | tail -n 1)"; done; done

kills: ## mosquitto and the agent killed KILLS times each, as a table
	@mkdir -p build
	@SEGEDGE_TEST_KILLS=$(or $(KILLS),50) $(GO) test ./mqtt -count=1 -timeout 3h -v -run '^Test(BrokerKilledUnderLoad|BrokerKilledWhileNobodyListens|BrokerThatForgets|AgentKilled)$$' > build/kills.log 2>&1 \
	  || { tail -n 50 build/kills.log; exit 1; }
	@echo '| killed | times | events | lost | sent twice by the agent | delivered twice by the broker |'; echo '| --- | ---: | ---: | ---: | ---: | ---: |'
	@sed -nE 's/.*_test.go:[0-9]+: (\| .* \|)$$/\1/p' build/kills.log

install: build ## put segedge on this box with its unit (as root)
	install -D -m 755 bin/segedge $(DESTDIR)$(PREFIX)/bin/segedge
	install -D -m 755 $${SEGEDGE_ORT_LIB:-lib/segedge/libonnxruntime.so.1} $(DESTDIR)$(PREFIX)/lib/segedge/libonnxruntime.so.1
	install -D -m 644 systemd/segedge.service $(DESTDIR)/etc/systemd/system/segedge.service
	sed -f systemd/template.sed systemd/segedge.service > $(DESTDIR)/etc/systemd/system/segedge@.service
	install -D -m 644 systemd/segedge.sysusers $(DESTDIR)/usr/lib/sysusers.d/segedge.conf
	install -D -m 644 systemd/segedge-gpu.conf $(DESTDIR)$(PREFIX)/share/doc/segedge/segedge-gpu.conf
	install -D -m 644 systemd/segedge-backoff.conf $(DESTDIR)$(PREFIX)/share/doc/segedge/segedge-backoff.conf
	install -D -m 644 systemd/segedge.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/segedge.conf
	@install -d -m 750 $(DESTDIR)/etc/segedge
	@test -e $(DESTDIR)/etc/segedge/segedge.yaml || { umask 027; bin/segedge config default > $(DESTDIR)/etc/segedge/segedge.yaml; }
	@test -n "$(DESTDIR)" || { systemd-sysusers; systemd-tmpfiles --create /usr/lib/tmpfiles.d/segedge.conf; chown -R segedge:segedge /etc/segedge; systemctl daemon-reload || true; }
	@echo "installed: edit /etc/segedge/segedge.yaml, then systemctl enable --now segedge"

uninstall: ## take it off again; configuration and state stay
	-test -n "$(DESTDIR)" || systemctl disable --now segedge
	rm -f $(DESTDIR)$(PREFIX)/bin/segedge $(DESTDIR)$(PREFIX)/lib/segedge/libonnxruntime.so.1 $(DESTDIR)/etc/systemd/system/segedge.service $(DESTDIR)/etc/systemd/system/segedge@.service \
	  $(DESTDIR)/usr/lib/sysusers.d/segedge.conf $(DESTDIR)/usr/lib/tmpfiles.d/segedge.conf $(DESTDIR)$(PREFIX)/share/doc/segedge/segedge-gpu.conf $(DESTDIR)$(PREFIX)/share/doc/segedge/segedge-backoff.conf
	-test -n "$(DESTDIR)" || systemctl daemon-reload

dist: deps ## a tarball, a Debian package, the list of what is inside and checksums, in dist/; ARCH="amd64 arm64" for both
	@scripts/packages.sh dist
	@scripts/tool.sh nfpm github.com/goreleaser/nfpm/v2/cmd/nfpm
	@case " $(ARCH) " in *" arm64 "*) [ "$$(dpkg --print-architecture)" = arm64 ] || scripts/packages.sh arm64 ;; esac
	@for arch in $(if $(ARCH),$(ARCH),$$(dpkg --print-architecture)); do scripts/dist.sh $$arch || exit 1; done

test-package: test-systemd ## the same: the package's own life is part of it

test-systemd: ## boot a fresh Debian tree with the package of dist/ under systemd-nspawn, and try what a box goes through (as root)
	scripts/test-systemd.sh

test-homeassistant: build ## the agent in a real Home Assistant core from PyPI: HOMEASSISTANT=version, PYTHON=python3.13; some minutes
	scripts/test-homeassistant.sh

test-strangers: build ## aiortc (from PyPI) and GStreamer's webrtcbin play 100 pictures each of a running agent
	scripts/test-strangers.sh

.PHONY: test-docker test-arm64 test-debian

test-docker: ## the steps of deploy/docker/Dockerfile in a chroot, with the package of dist/ (as root)
	scripts/test-docker-steps.sh

test-arm64: ## run the packed arm64 program under qemu-user and compare its masks with the amd64 one's (after make dist ARCH="amd64 arm64")
	scripts/test-arm64.sh

test-debian: ## build in a fresh tree of another Debian and test what touches its libraries: SUITE=trixie (as root)
	scripts/test-debian.sh $(or $(SUITE),trixie)

release: ## tag VERSION=v0.2.0 with what CHANGELOG.md has under Unreleased
	@scripts/release.sh '$(VERSION)'

clean: ## remove what was built; the runtime library stays
	rm -rf bin build dist

help:
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
