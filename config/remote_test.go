package config

import (
	"strings"
	"testing"
)

func TestRemote(t *testing.T) {
	for _, c := range []struct{ settings, says string }{
		{"model.remote.address=http://gpu:8000 model.remote.encoder=enc", ""},
		{"model.remote.address=grpcs://gpu:8001 model.remote.encoder=enc model.remote.decoder=dec model.remote.token_file=/t", ""},
		{"model.remote.address=http://127.0.0.1:8000 model.remote.encoder=enc model.remote.token_file=/t", ""},
		{"model.remote.address=http://[::1]:8000 model.remote.encoder=enc model.remote.token_file=/t", ""},
		{"model.remote.address=http://gpu:8000 model.remote.encoder=enc model.decoder=dec.onnx", ""},
		{"model.remote.address=http://gpu:8000 model.remote.encoder=enc model.remote.token_file=/t", "write https:// or grpcs://"},
		{"model.remote.address=http://gpu:8000 model.remote.encoder=enc model.remote.ca=/c", "is not encrypted"},
		{"model.remote.address=https://gpu model.remote.encoder=enc model.remote.cert=/c", "cert and key come together"},
		{"model.remote.address=https://u:p@gpu model.remote.encoder=enc", "token_file"},
		{"model.remote.address=gpu:8000 model.remote.encoder=enc", "is no address"},
		{"model.remote.address=ftp://gpu model.remote.encoder=enc", "write http, https, grpc or grpcs"},
		{"model.remote.address=grpc://gpu:1/a model.remote.encoder=enc", "gRPC knows no path"},
		{"model.remote.address=http://gpu:8000", "what is the encoder called"},
		{"model.remote.encoder=enc", "which inference server"},
		{"model.decoder=dec.onnx", "encoder and decoder come together"},
		{"model.remote.picture=png", "is none of raw, jpeg"},
		{"model.remote.retries=11", "is not within 0..10"},
	} {
		_, err := Load("", nil, strings.Fields(c.settings))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.settings, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "u:p@") {
			t.Errorf("it shows the password: %v", err)
		}
	}
}
