# OpenCode behind Varnish 7 with its module xkey (Debian: varnish and varnish-modules). Copy to /etc/varnish/default.vcl,
# and put in a token of your own. The server must know where to say what is outdated, and the token:
# OCP_MARKETPLACE_PURGE_URL=http://127.0.0.1:6081/purge
# OCP_MARKETPLACE_PURGE_TOKEN=change-me
# What ends TLS stands in front of Varnish. It replaces X-Forwarded-For and leaves Host as it is, as in nginx.conf.
vcl 4.1;

import xkey;

backend default {
    .host = "127.0.0.1";
    .port = "8000";
}

sub vcl_recv {
    if (req.url == "/purge") {
        if (req.method != "POST" || req.http.Authorization != "Bearer change-me") {
            return (synth(403, "Forbidden"));
        }
        return (synth(200, "outdated: " + xkey.purge(req.http.Surrogate-Key)));
    }
    # Sockets. What is no handshake must not get here: everything after it goes to the server unseen.
    if (req.method == "GET" && req.http.Upgrade ~ "(?i)^websocket$" && req.http.Connection ~ "(?i)\bupgrade\b"
        && req.url ~ "^/api/" && !req.http.Content-Length && !req.http.Transfer-Encoding) {
        return (pipe);
    }
    # Outside of the API every answer is the same for everybody, so those who are signed in get it from here, too.
    # Whatever else comes with a cookie or a token is not kept: that is what Varnish does by itself.
    if (req.url !~ "^/(api|ai)/") {
        unset req.http.Cookie;
    }
}

sub vcl_pipe {
    set bereq.http.Upgrade = req.http.Upgrade;
    set bereq.http.Connection = "Upgrade";
}

sub vcl_backend_response {
    set beresp.http.xkey = beresp.http.Surrogate-Key;
}

sub vcl_deliver {
    # These are between the server and its caches.
    unset resp.http.xkey;
    unset resp.http.Surrogate-Key;
}
