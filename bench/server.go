package bench

import (
	"time"

	"github.com/valyala/fasthttp"
)

// requestBytesMax is the largest body Sink and FixedReply read.
const requestBytesMax = 16 << 20

// bareServer is a fasthttp server with everything off that costs time and is not asked for.
func bareServer(handler fasthttp.RequestHandler) *fasthttp.Server {
	return &fasthttp.Server{
		Handler:                       handler,
		Logger:                        silent{},
		MaxRequestBodySize:            requestBytesMax,
		ReadTimeout:                   time.Minute,
		WriteTimeout:                  time.Minute,
		IdleTimeout:                   10 * time.Minute,
		DisableHeaderNamesNormalizing: true,
		NoDefaultServerHeader:         true,
		NoDefaultContentType:          true,
		NoDefaultDate:                 true,
		DisablePreParseMultipartForm:  true,
	}
}

// silent drops the server's notes on connections that broke; what breaks here is counted by the other end.
type silent struct{}

func (silent) Printf(string, ...any) {}
