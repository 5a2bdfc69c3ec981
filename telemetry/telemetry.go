// Package telemetry sends traces by OpenTelemetry's protocol over HTTP (OTLP 1.x, opentelemetry.io/docs/specs/otlp) to a collector, where
// one is set: of some frames, from their capture to their encoded picture, and of commands, from their arrival to their reply. It is
// bounded: what the collector does not take is dropped, and the agent never waits for it. It is not the metrics, which are Prometheus's
// (web), nor the log.
package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Spans that wait for the collector, and how many go in one request.
const (
	maxWaiting = 1024
	batchSize  = 256
)

// goodbye is how long the last spans may take at the end.
const goodbye = 2 * time.Second

// Options of a Tracer. Headers, certificates, time limits, compression and samplers are set by OpenTelemetry's own environment variables
// (OTEL_EXPORTER_OTLP_HEADERS and others).
type Options struct {
	Endpoint string        // the collector's address, such as http://host:4318; empty is that of the environment
	Every    time.Duration // between two frames of a camera that are traced; 0 for none
	Agent    string        // service.instance.id
	Version  string        // service.version
	Logger   *slog.Logger  // nil discards
}

// Wanted reports whether there is a collector to send traces to: by the options, or by OpenTelemetry's environment variables.
func (o *Options) Wanted() bool {
	if os.Getenv("OTEL_SDK_DISABLED") == "true" || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return o.Endpoint != "" || os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// Tracer makes spans and sends them while Run runs; before and after they are dropped. Nil makes none.
type Tracer struct {
	o      Options
	spans  atomic.Pointer[spans]
	failed atomic.Int64 // when it was last said that the collector takes nothing, Unix seconds
}

// spans makes spans.
type spans struct{ trace.Tracer }

// New is a tracer, nil where no collector is wanted. It starts nothing.
func New(o Options) *Tracer {
	if !o.Wanted() {
		return nil
	}
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return &Tracer{o: o}
}

// Run sends spans until ctx ends, then those that wait. A collector that is away costs nobody anything else: Run fails only where the
// address makes no sense.
func (t *Tracer) Run(ctx context.Context) error {
	provider, err := t.begin(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being stopped is no failure
		}
		return fmt.Errorf("telemetry: %w", err)
	}
	<-ctx.Done()
	t.end(ctx, provider)
	return nil
}

func (t *Tracer) begin(ctx context.Context) (*sdk.TracerProvider, error) {
	exporter, err := t.exporter(ctx)
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "segedge"),
		attribute.String("service.instance.id", t.o.Agent),
		attribute.String("service.version", t.o.Version),
	), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(t.notTaken))
	provider := sdk.NewTracerProvider(
		sdk.WithResource(res),
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(maxWaiting), sdk.WithMaxExportBatchSize(batchSize)),
	)
	t.spans.Store(&spans{provider.Tracer("github.com/segedge/segedge")})
	return provider, nil
}

func (t *Tracer) end(ctx context.Context, provider *sdk.TracerProvider) {
	t.spans.Store(nil)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	if err := provider.Shutdown(last); err != nil {
		t.notTaken(err)
	}
}

func (t *Tracer) exporter(ctx context.Context) (sdk.SpanExporter, error) {
	if t.o.Endpoint == "" {
		return otlptracehttp.New(ctx)
	}
	address, err := url.JoinPath(t.o.Endpoint, "v1", "traces")
	if err != nil {
		return nil, err
	}
	return otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(address))
}

// notTaken says that the collector does not take spans, once a minute.
func (t *Tracer) notTaken(err error) {
	now := time.Now().Unix()
	if last := t.failed.Load(); now-last >= 60 && t.failed.CompareAndSwap(last, now) {
		t.o.Logger.Warn("traces are not taken and dropped; nothing else is affected", "err", err)
	}
}

// Command is a command and how it ended.
type Command struct {
	Door, Camera, Verb, ID string
	Code                   string // why it was refused; empty where it was done
	Began                  time.Time
	Took                   time.Duration // until its reply
}

// Command makes the span of a command.
func (t *Tracer) Command(c Command) {
	if t == nil {
		return
	}
	s := t.spans.Load()
	if s == nil {
		return
	}
	_, span := s.Start(
		context.Background(),
		"command",
		trace.WithTimestamp(c.Began),
		trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("segedge.door", c.Door), attribute.String("segedge.camera", c.Camera),
			attribute.String("segedge.verb", c.Verb), attribute.String("segedge.command", c.ID),
		),
	)
	if c.Code != "" {
		span.SetStatus(codes.Error, c.Code)
	}
	span.End(trace.WithTimestamp(c.Began.Add(c.Took)))
}
