"""HTTP/2 over TLS by the package h2: a client that shows what HTTP clients hide."""

import socket
import ssl

import h2.connection
import h2.events


class Connection:
    """One TLS connection to 127.0.0.1, spoken by hand."""

    def __init__(self, port, trusted=None, protocols=("h2", "http/1.1")):
        context = ssl.create_default_context(cafile=trusted)
        context.check_hostname = False
        if trusted is None:
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(list(protocols))
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=90))
        self.protocol = self.socket.selected_alpn_protocol()
        #: The server's certificate, DER.
        self.certificate = self.socket.getpeercert(binary_form=True)
        self.two = None
        self.events = []
        if self.protocol == "h2":
            self.two = h2.connection.H2Connection()
            self.two.initiate_connection()
            self.flush()

    def flush(self):
        self.socket.sendall(self.two.data_to_send())

    def begin(self, method, path, ended=True, headers=()):
        """Sends the header fields of a request; returns its stream."""
        stream = self.two.get_next_available_stream_id()
        self.two.send_headers(stream, [
            (":method", method), (":path", path), (":scheme", "https"), (":authority", "localhost"), *headers,
        ], end_stream=ended)
        self.flush()
        return stream

    def next(self, kind, stream=None):
        """The next event of that kind; None when the connection ends before."""
        while True:
            for index, event in enumerate(self.events):
                if isinstance(event, kind) and (stream is None or event.stream_id == stream):
                    return self.events.pop(index)
            data = self.socket.recv(65536)
            if not data:
                return None
            self.events += self.two.receive_data(data)
            self.flush()

    def get(self, path):
        """The status of a GET."""
        stream = self.begin("GET", path)
        answer = self.next(h2.events.ResponseReceived, stream)
        assert answer is not None, "the connection ended before the answer"
        assert self.next(h2.events.StreamEnded, stream) is not None
        return int(dict(answer.headers)[b":status"])

    def ended(self):
        """Reads on and answers nothing, no ping either; whether the server closes."""
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
