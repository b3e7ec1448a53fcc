"""Who decoded a payload, as the server under test counts it. A server that does not tell is asked once."""

import http.client
import re

COUNTER = re.compile(rb'sluis_gateway_payloads_total\{decoder="(rust|python)"\} (\d+)')

#: Set-ups whose signatures are of scalar columns, tensors and params: those that Rust is to decide alone.
TYPED = ("echo_types", "echo_params", "echo_tensor_3d", "echo_tensor_named", "echo_tensor_obj", "echo_single", "echo_optional",
         "echo_unnamed", "sk_cols", "sk_cols_nodetails", "sk_cols_workers", "sk_mixed", "sk_proba", "sk_tensor", "onnx_tensor", "lgb_cols")


class Decoders:
    """The counters of one running server."""

    def __init__(self, host, port):
        self._address = (host, port)
        self._told = True
        self._counts = self._read()

    def last(self):
        """Who decoded the payload since the last question; None where nobody did."""
        if not self._told:
            return None
        before, self._counts = self._counts, self._read()
        grown = [name for name, count in self._counts.items() if count > before.get(name, 0)]
        return grown[0] if len(grown) == 1 else None

    def _read(self):
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        try:
            connection.request("GET", "/metrics")
            page = connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return {}  # the row has ended the server, which the next one finds out
        finally:
            connection.close()
        self._told = b"sluis_" in page
        return {name.decode(): int(count) for name, count in COUNTER.findall(page)}
