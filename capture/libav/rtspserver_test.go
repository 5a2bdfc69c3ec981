package libav

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	"github.com/pion/rtp"
)

// The test binary is also the RTSP server: a process of its own, so that it can be stopped and killed as a camera's
// power or network can.
const serverEnv = "SEGEDGE_TEST_RTSP"

// udpEnv is the first of two ports of a server that sends over UDP alone.
const udpEnv = "SEGEDGE_TEST_RTSP_UDP"

func TestMain(m *testing.M) {
	if address := os.Getenv(serverEnv); address != "" {
		fmt.Fprintln(os.Stderr, "rtsp server:", serveRTSP(address))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serveRTSP relays what ffmpeg encodes and publishes, H.264 of a moving test picture, to whoever plays it. It prints a
// line when the stream is there.
func serveRTSP(address string) error {
	r := &relay{}
	r.server = &gortsplib.Server{Handler: r, RTSPAddress: address}
	if r.udpOnly = os.Getenv(udpEnv) != ""; r.udpOnly {
		port, err := strconv.Atoi(os.Getenv(udpEnv))
		if err != nil {
			return err
		}
		r.server.UDPRTPAddress, r.server.UDPRTCPAddress = fmt.Sprintf("127.0.0.1:%d", port), fmt.Sprintf("127.0.0.1:%d", port+1)
	}
	if err := r.server.Start(); err != nil {
		return err
	}
	publish := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-re",
		"-f", "lavfi", "-i", "testsrc2=size=322x242:rate=25", "-c:v", "libx264", "-preset", "ultrafast",
		"-tune", "zerolatency", "-g", "12", "-pix_fmt", "yuv420p", "-f", "rtsp", "-rtsp_transport", "tcp", "rtsp://"+address+"/cam")
	publish.Stderr = os.Stderr
	publish.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return errors.Join(publish.Run(), r.server.Wait())
}

type relay struct {
	udpOnly bool
	server  *gortsplib.Server
	mu      sync.Mutex
	stream  *gortsplib.ServerStream
}

func (r *relay) current() *gortsplib.ServerStream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream
}

func (r *relay) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	s := &gortsplib.ServerStream{Server: r.server, Desc: ctx.Description}
	if err := s.Initialize(); err != nil {
		return &base.Response{StatusCode: base.StatusInternalServerError}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stream = s
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if s := r.current(); s != nil {
		return &base.Response{StatusCode: base.StatusOK}, s, nil
	}
	return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
}

func (r *relay) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return &base.Response{StatusCode: base.StatusOK}, nil, nil
	}
	if r.udpOnly && ctx.Transport == gortsplib.TransportTCP {
		return &base.Response{StatusCode: base.StatusUnsupportedTransport}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, r.current(), nil
}

func (r *relay) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	s := r.current()
	first := sync.OnceFunc(func() { fmt.Println("ready") })
	ctx.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		if err := s.WritePacketRTP(m, p); err != nil {
			fmt.Fprintln(os.Stderr, "relay:", err)
		}
		first()
	})
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// server is a running server process.
type server struct {
	t   *testing.T
	cmd *exec.Cmd
}

// startServer runs a server at address and waits until it has a stream.
func startServer(t *testing.T, address string) *server {
	t.Helper()
	s := &server{t: t, cmd: exec.Command(os.Args[0])}
	s.cmd.Env = append(os.Environ(), serverEnv+"="+address)
	s.cmd.Stderr = os.Stderr
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the rtsp server says %q, %v", line, err)
	}
	return s
}

func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the process, stopped or not.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill() // it may have ended by itself
		_ = s.cmd.Wait()
	}
}

// freeAddress is an address on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
