"""The mutants: edits that make the program wrong, one at a time.

Each names the file, the text that must be there exactly once, what replaces it, what
is wrong then, and the tests that ought to notice. A mutant that is no change of
behaviour on some machine says so in ``equivalent``.
"""

# ruff: noqa: E501 - a mutant is a line of somebody else's file

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "SUBJECTS", "Mutant", "Subject"]


@dataclass(frozen=True)
class Subject:
    """A file under study, and the tests that are about it, the narrowest first."""

    file: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Mutant:
    """One edit."""

    subject: str
    name: str
    wrong: str
    """What is wrong after the edit."""
    old: str
    new: str
    near: str = ""
    """Tests to ask first, as pytest's ``-k``: those about the very method."""
    equivalent: str = ""
    """Why no test can notice, if none can."""

    @property
    def id(self) -> str:
        """Unique among all mutants."""
        return f"{self.subject}/{self.name}"

    def applied(self, source: str) -> str:
        """Return the source after the edit.

        Raises
        ------
        ValueError
            If the old text is not there exactly once: the source has moved on.
        """
        found = source.count(self.old)
        if found != 1 or self.old == self.new:
            file = SUBJECTS[self.subject].file
            msg = (
                f"{self.id}: {self.old!r} is {found} times in {file!r}. It must be there "
                "exactly once, and change. Write the mutant anew from the source."
            )
            raise ValueError(msg)
        return source.replace(self.old, self.new)


SUBJECTS: dict[str, Subject] = {
    "conversion": Subject(
        "xpcs_bench/backends/conversion.py",
        (
            "tests/backends/test_backends_conversion.py",
            "tests/backends/test_backends_device.py",
        ),
    ),
    "device": Subject(
        "xpcs_bench/backends/device.py",
        (
            "tests/backends/test_backends_device.py",
            "tests/backends/test_backends_conversion.py",
            "tests/backends/test_backends_selection.py",
        ),
    ),
    "jax_setup": Subject(
        "xpcs_bench/backends/jax_setup.py",
        (
            "tests/backends/test_backends_device.py",
            "tests/backends/test_backends_selection.py",
        ),
    ),
    "settings": Subject(
        "xpcs_bench/backends/settings.py", ("tests/backends/test_backends_settings.py",)
    ),
    "selection": Subject(
        "xpcs_bench/backends/selection.py",
        (
            "tests/backends/test_backends_selection.py",
            "tests/backends/test_backends_without_jax.py",
        ),
    ),
    "adapter": Subject(
        "xpcs_bench/backends/adapter.py", ("tests/backends/test_backends_adapter.py",)
    ),
    "loops": Subject(
        "xpcs_bench/backends/loops.py", ("tests/backends/test_backends_loops.py",)
    ),
    "pytree": Subject(
        "xpcs_bench/backends/pytree.py", ("tests/backends/test_backends_loops.py",)
    ),
    "numpy": Subject(
        "xpcs_bench/backends/numpy_backend.py",
        (
            "tests/backends/test_backends_functions.py",
            "tests/backends/test_backends_conversion.py",
        ),
    ),
    "jax": Subject(
        "xpcs_bench/backends/jax_backend.py",
        (
            "tests/backends/test_backends_delegation.py",
            "tests/backends/test_backends_functions.py",
            "tests/backends/test_backends_loops.py",
            "tests/backends/test_backends_conversion.py",
        ),
    ),
    "delegation": Subject(
        "xpcs_bench/backends/delegation.py",
        (
            "tests/backends/test_backends_delegation.py",
            "tests/backends/test_backends_functions.py",
        ),
    ),
    "arguments": Subject(
        "xpcs_bench/backends/arguments.py",
        ("tests/backends/test_backends_arguments.py",),
    ),
    "decay": Subject(
        "xpcs_bench/kernels/decay.py",
        (
            "tests/kernels/test_decay.py",
            "tests/kernels/test_kernel_contract.py",
        ),
    ),
    "edges": Subject(
        "xpcs_bench/kernels/edges.py",
        (
            "tests/kernels/test_edges.py",
            "tests/kernels/test_partition.py",
        ),
    ),
    "partition": Subject(
        "xpcs_bench/kernels/partition.py",
        (
            "tests/kernels/test_partition.py",
            "tests/kernels/test_kernel_contract.py",
        ),
    ),
    "grazing": Subject(
        "xpcs_bench/kernels/grazing.py",
        (
            "tests/kernels/test_scattering.py",
            "tests/kernels/test_qmap_truth.py",
            "tests/kernels/test_kernel_contract.py",
        ),
    ),
    "scattering": Subject(
        "xpcs_bench/kernels/scattering.py",
        (
            "tests/kernels/test_scattering.py",
            "tests/kernels/test_qmap_truth.py",
            "tests/kernels/test_kernel_contract.py",
        ),
    ),
    "mask": Subject(
        "xpcs_bench/kernels/mask.py", ("tests/kernels/test_kernel_mask.py",)
    ),
    "agreement": Subject(
        "xpcs_bench/analysis/agreement.py", ("tests/analysis/test_agreement.py",)
    ),
    "ulp": Subject("xpcs_bench/analysis/ulp.py", ("tests/analysis/test_ulp.py",)),
    "values": Subject(
        "xpcs_bench/measure/values.py", ("tests/measure/test_measure_values.py",)
    ),
}

# a line a mutant, however long
# fmt: off
MUTANTS: tuple[Mutant, ...] = (
    Mutant("conversion", "lost-copy", "a writable result is the caller's read-only view", "return np.array(host) if writable and not host.flags.writeable else host", "return host"),
    Mutant("conversion", "copy-of-writable", "the condition for a copy is inverted", "if writable and not host.flags.writeable", "if writable and host.flags.writeable"),
    Mutant("conversion", "lost-view", "an array of jax is copied", "    return np.asarray(array)\n\n\ndef _require", "    return np.array(array)\n\n\ndef _require"),
    Mutant("conversion", "writable-view", "the view of host memory can be written to", "    view.flags.writeable = False\n", ""),
    Mutant("conversion", "shared-copy", "the copy is a view", "return np.array(ensure_numpy(array))", "return ensure_numpy(array)"),
    Mutant("conversion", "misaligned", "the sign of the offset is flipped", "start = -memory.ctypes.data % ALIGNMENT", "start = memory.ctypes.data % ALIGNMENT"),
    Mutant("conversion", "foreign-bytes", "the byte order is kept", ').newbyteorder("=")', ")"),
    Mutant("conversion", "careful-cast", "the type asked for is refused where it narrows", 'casting="unsafe"', 'casting="safe"'),
    Mutant("conversion", "too-narrow", "small floats become float16", "return host.astype(np.float32)", "return host.astype(np.float16)"),
    Mutant("conversion", "wrong-sign", "signed nibbles become unsigned", 'np.int8 if host.dtype.name.startswith("int") else np.uint8', 'np.uint8 if host.dtype.name.startswith("int") else np.int8'),
    Mutant("conversion", "deleted-passes", "a deleted array is not noticed", "    if array.is_deleted():", "    if False:"),
    Mutant("conversion", "key-passes", "a random key is not noticed", "    if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):", "    if False:"),
    Mutant("conversion", "mask-lost", "a masked array loses its mask", "    if isinstance(array, np.ma.MaskedArray):", "    if False:"),
    Mutant("conversion", "pieces-viewed", "an array in several pieces is viewed", 'if platforms != ["cpu"] or len(array.devices()) != 1:', 'if platforms != ["cpu"]:'),
    Mutant("conversion", "longdouble-passes", "extended precision is taken for a number of 64 bits", '(16 if dtype.kind == "c" else 8)', "16"),
    Mutant("conversion", "unchecked-lists", "arrays in lists are not checked", "return ensure_numpy(items) if _is_jax_array(items) else items", "return items"),
    Mutant("device", "no-op-placement", "arrays are not placed where they should be", "else private_copy(leaf), device", "else private_copy(leaf), None"),
    Mutant("device", "shared-placement", "host arrays are shared, not copied", "leaf if isinstance(leaf, jax.Array) else private_copy(leaf), device", "leaf, device"),
    Mutant("device", "first-device", "the index of a device is ignored", "return found[index]", "return found[0]"),
    Mutant("device", "one-device-too-many", "an index behind the last is let through", "if not 0 <= index < len(found):", "if not 0 <= index <= len(found):"),
    Mutant("device", "fallback-inverted", "the fallback is taken where it is forbidden", "if not config.allow_gpu_fallback:", "if config.allow_gpu_fallback:"),
    Mutant("device", "peak-for-use", "the peak is reported as use", 'in_use_bytes=statistics["bytes_in_use"]', 'in_use_bytes=statistics["peak_bytes_in_use"]'),
    Mutant("device", "memory-added", "used memory is added to what is left", "return self.total_bytes - self.in_use_bytes", "return self.total_bytes + self.in_use_bytes"),
    Mutant("device", "no-share", "a share of zero is let through", "not 0 < self.memory_fraction <= 1", "not 0 <= self.memory_fraction <= 1"),
    Mutant("device", "bare-assertion", "jax's other way to say that there is no GPU ends the program", "except (RuntimeError, AssertionError):", "except RuntimeError:"),
    Mutant("device", "second-look", "the instance is made again by who waited for the lock", "                instance = cls._instance\n                if instance is None:\n                    instance", "                if True:\n                    instance"),
    Mutant("device", "published-early", "the instance is seen before it is complete", "                    instance.configure(DeviceConfig.from_environment())\n                    # published last: who sees it sees it complete\n                    cls._instance = instance\n", "                    cls._instance = instance\n                    instance.configure(DeviceConfig.from_environment())\n"),
    Mutant("device", "gpu-unused", "a GPU that is there is not used", "        return DeviceType.GPU\n    if not", "        return DeviceType.CPU\n    if not"),
    Mutant("device", "not-placed", "the manager places nothing", "return tree if device is None else place(tree, device)", "return tree"),
    Mutant("device", "undecided", "a configuration changes nothing", "self._decision = (config, _decide(config))", "self._decision = (config, DeviceType.CPU)"),
    Mutant("device", "current-last", "devices of the current kind come last", "key=lambda kind: kind is not self.current_device", "key=lambda kind: kind is self.current_device"),
    Mutant("device", "last-device", "the last device of a platform is chosen, not the first", "    return found[0]\n", "    return found[-1]\n"),
    Mutant("device", "unknown-memory", "the memory of a device is not told", 'memory_bytes=memory.get("bytes_limit")', "memory_bytes=None"),
    Mutant("jax_setup", "half-precision", "jax stays at 32 bits", '_update("jax_enable_x64", value=True)', '_update("jax_enable_x64", value=False)'),
    Mutant("jax_setup", "default-device", "a device that is not the default is left alone", "device is not None and device != jax.devices()[0]", "device is not None and device == jax.devices()[0]"),
    Mutant("jax_setup", "said-again", "what comes too late is said each time", "        _too_late.add(fraction)\n", ""),
    Mutant("jax_setup", "contradiction-passes", "two shares of memory that contradict each other pass", "if text and text != _told.get(name):", "if text and text == _told.get(name):"),
    Mutant("settings", "fallback-by-default", "the fallback is forbidden unless asked for", '"XPCS_GPU_FALLBACK") is not False', '"XPCS_GPU_FALLBACK") is True'),
    Mutant("settings", "no-on", "a spelling is missing", 'TRUE = ("true", "1", "yes", "on")', 'TRUE = ("true", "1", "yes")'),
    Mutant("settings", "case-matters", "capital letters are not understood", 'environ.get(variable, "").strip().lower()', 'environ.get(variable, "").strip()'),
    Mutant("settings", "not-all", "the whole memory cannot be asked for", "if not 0 < fraction <= 1:", "if not 0 < fraction < 1:"),
    Mutant("selection", "swallowed", "jax is asked for, missing, and nobody is told", "        if wanted is True:\n            raise", "        if wanted is None:\n            raise"),
    Mutant("selection", "kept", "a borrowed backend is not given back", "        _borrowed.reset(token)", "        pass"),
    Mutant("selection", "second-look", "the backend is made again by who waited for the lock", "backend = _active or _activate(_detect())", "backend = _activate(_detect())"),
    Mutant("selection", "auto-is-numpy", "auto never finds jax", "if wanted is False:", "if wanted is not True:"),
    Mutant("selection", "case-matters", "names are taken literally", "name = backend.strip().lower()", "name = backend.strip()"),
    Mutant("selection", "unconfigured", "jax is not prepared for its device", '    if name == "jax":\n        _', '    if name != "jax":\n        _'),
    Mutant("selection", "unchecked", "any object is taken for a backend", "        check_backend(backend)\n", ""),
    Mutant("adapter", "dropped-total", "the total is the last conversion", "total_ns=self.total_ns + one.elapsed_ns", "total_ns=one.elapsed_ns"),
    Mutant("adapter", "fastest", "the fastest is kept", "one.elapsed_ns > self.slowest.elapsed_ns", "one.elapsed_ns < self.slowest.elapsed_ns"),
    Mutant("adapter", "dropped-count", "the count stays at one", "count=self.count + 1", "count=1"),
    Mutant("adapter", "unblocked", "the conversion pays for the computation", "        _ready(array)\n        started", "        started"),
    Mutant("adapter", "opaque", "small floats are stored as bytes", "return widened(ensure_numpy(array))", "return ensure_numpy(array)"),
    Mutant("adapter", "watching-inverted", "statistics are kept only when they are off", "self._watch(_plain, array) if self._monitoring else _plain(array)", "_plain(array) if self._monitoring else self._watch(_plain, array)"),
    Mutant("adapter", "always-a-tuple", "one array comes back in a tuple", "return converted[0] if len(converted) == 1 else converted", "return converted"),
    Mutant("adapter", "one-per-cent", "the mean is too large by 1 %", "return self.total_ns / self.count", "return 1.01 * self.total_ns / self.count"),
    Mutant("adapter", "back-unblocked", "the way back is not waited for", "lambda host: _ready(backend.from_numpy(host))", "lambda host: backend.from_numpy(host)"),
    Mutant("adapter", "no-lock", "conversions are lost between threads", "        with self._lock:\n            self._statistics = self._statistics.with_one_more(one)", "        if True:\n            self._statistics = self._statistics.with_one_more(one)"),
    Mutant("loops", "scan-dropped-carry", "scan forgets its carry", 'carry = _as_carry(after, carry, "scan")', '_as_carry(after, carry, "scan")'),
    Mutant("loops", "one-trip-more", "a loop makes one trip too many", "range(int(lower), int(upper))", "range(int(lower), int(upper) + 1)"),
    Mutant("loops", "first-out-axis", "the axis of the result is ignored", "else np.stack(column, axis=axis)\n                if length", "else np.stack(column, axis=0)\n                if length"),
    Mutant("loops", "first-in-axis", "the axis of the argument is ignored", "else np.take(leaf, index, axis=axis)", "else np.take(leaf, index, axis=0)"),
    Mutant("loops", "branches-swapped", "the branches are swapped", 'chosen = true_fun if _scalar_truth(pred, "cond") else false_fun', 'chosen = false_fun if _scalar_truth(pred, "cond") else true_fun'),
    Mutant("loops", "one-output-of-none", "no steps give one output", "np.stack(column, axis=0)[:steps]", "np.stack(column, axis=0)"),
    Mutant("loops", "while-dropped-value", "the loop forgets its value", 'val = _as_carry(body_fun(val), val, "while_loop")', '_as_carry(body_fun(val), val, "while_loop"); break'),
    Mutant("loops", "length-ignored", "a length that contradicts is ignored", "    if length is not None:\n        lengths.append(length)", "    if length is not None and not lengths:\n        lengths.append(length)"),
    Mutant("loops", "carry-unchecked", "a carry may change its type", "if array.shape != before.shape or array.dtype != before.dtype:", "if array.shape != before.shape and array.dtype != before.dtype:"),
    Mutant("pytree", "unsorted", "dictionaries keep the order of insertion", "return [tree[key] for key in sorted(tree)]", "return [tree[key] for key in tree]"),
    Mutant("pytree", "name-lost", "a named tuple loses its names", "return tree._make(children)", "return tuple(children)"),
    Mutant("numpy", "bin-behind-the-last", "a label behind the last bin is counted", "(labels >= 0) & (labels < length)", "(labels >= 0) & (labels <= length)", near="bincount"),
    Mutant("numpy", "left-alone", "the side is ignored", 'side="right" if side == "right" else "left"', 'side="left"', near="searchsorted"),
    Mutant("numpy", "open-left", "the closed side is ignored", "np.digitize(x, bins, right=right)", "np.digitize(x, bins)", near="digitize"),
    Mutant("numpy", "unstable", "equals change places", "np.argsort(x, axis=axis, stable=True)", "np.argsort(-np.asarray(x), axis=axis, stable=True)[..., ::-1]", near="reductions_and_orders"),
    Mutant("numpy", "last-ones", "the last are kept, not the first", "fixed[: len(values)] = values[:size]", "fixed[: len(values)] = values[-size:]", near="unique or nonzero"),
    Mutant("numpy", "fill-ignored", "the filling is ignored", "_smallest(values) if fill_value is None else fill_value", "_smallest(values)", near="unique"),
    Mutant("numpy", "decimals-ignored", "the number of places is ignored", "return np.round(x, decimals)", "return np.round(x)", near="round"),
    Mutant("numpy", "axis-ignored", "the axis is ignored", "np.percentile(values, q, axis=axis)", "np.percentile(values, q)", near="percentile"),
    Mutant("numpy", "whole-weights", "sums of no weights are counts", "counts if weights is None else counts.astype(np.float64, copy=False)", "counts", near="bincount"),
    Mutant("numpy", "copy-shares", "a copy is a view", "        return np.array(x)\n", "        return np.asarray(x)\n", near="copies_have_memory"),
    Mutant("numpy", "flat-shares", "what is flattened is a view", "np.array(x).reshape(-1)", "np.asarray(x).reshape(-1)", near="copies_have_memory or manipulations"),
    Mutant("numpy", "dtype-ignored", "the type is ignored", "return private_copy(data, dtype)", "return private_copy(data)", near="creation"),
    Mutant("numpy", "inverse-flat", "the inverse loses its shape", "inverse.reshape(np.shape(x))", "inverse.reshape(-1)", near="unique"),
    Mutant("jax", "zero-without-sign", "a zero loses its sign", "return jnp.where(remainder == 0, jnp.copysign(remainder, y), remainder)", "return remainder", near="test_mod"),
    Mutant("jax", "negative-labels", "negative labels fall into bin 0", "labels = jnp.where(x < 0, length, x)", "labels = x", near="bincount"),
    Mutant("jax", "narrow-weights", "weights keep their type", "weights = jnp.asarray(weights, jnp.float64)", "weights = jnp.asarray(weights)", near="bincount"),
    Mutant("jax", "narrow-indices", "indices of bins are 32 bits wide", "right=right).astype(jnp.int64)", "right=right)", near="digitize"),
    Mutant("jax", "open-left", "the closed side is ignored", "jnp.digitize(x, bins, right=right)", "jnp.digitize(x, bins)", near="digitize"),
    Mutant("jax", "static-ignored", "static arguments are traced", "func, static_argnums=static_argnums, static_argnames=static_argnames", "func, static_argnames=static_argnames", near="test_jit"),
    Mutant("jax", "out-axes-ignored", "the axis of the result is ignored", "jax.vmap(func, in_axes, out_axes)", "jax.vmap(func, in_axes)", near="test_vmap"),
    Mutant("jax", "argnums-ignored", "the gradient is that of the first argument", "jax.grad(func, argnums)", "jax.grad(func)", near="gradients"),
    Mutant("jax", "not-waited", "nothing is waited for", "            array.block_until_ready()", "            pass", near="waited_for"),
    Mutant("jax", "tensor-floats", "a GPU may multiply in TF32", "jnp.matmul(x, y, precision=jax.lax.Precision.HIGHEST)", "jnp.matmul(x, y)", near="products"),
    Mutant("jax", "weak-full", "a filled array gives way to other types", "_firm(jnp.full(shape, fill_value, dtype=dtype))", "jnp.full(shape, fill_value, dtype=dtype)", near="give_way"),
    Mutant("jax", "padded-with-zero", "the filling is ignored", "jnp.nonzero(x, size=size, fill_value=fill_value)", "jnp.nonzero(x, size=size, fill_value=0)", near="nonzero"),
    Mutant("jax", "length-ignored", "the number of steps is ignored", "jax.lax.scan(func, init, xs, length)", "jax.lax.scan(func, init, xs)", near="test_scan"),
    Mutant("jax", "platform-ignored", "arrays stay on the default device", "return place(tree, choose_device(self.name, device, present))", "return place(tree, None)", near="device_put"),
    Mutant("jax", "wrong-branch", "the branches are swapped", "jax.lax.cond(pred, true_fun, false_fun, *operands)", "jax.lax.cond(pred, false_fun, true_fun, *operands)", near="test_cond"),
    Mutant("delegation", "swapped-name", "maximum is minimum", "    maximum = delegated(Method.maximum)", "    maximum = delegated(Method.minimum)", near="called or own_name"),
    Mutant("delegation", "more-keywords", "keywords of one library pass", "if options and not options.keys() <= keywords:", "if False:", near="beyond_the_protocol"),
    Mutant("delegation", "dropped-options", "options are ignored", "return getattr(self.xp, name)(*args, **options)", "return getattr(self.xp, name)(*args)", near="meshgrid or manipulations"),
    Mutant("arguments", "shared-arguments", "JAX reads the caller's own memory", 'return private_copy(leaf) if hasattr(kind, "__array__") else leaf', "return leaf", near="jit or vmap or reshape"),
    Mutant("arguments", "shared-keywords", "JAX reads the memory of keyword arguments", "**(settled(options) if options else options)", "**options", near="keyword"),
    Mutant("arguments", "shared-by-transforms", "what vmap and grad return reads the caller's memory", "setattr(backend, name, _guarded_result(method))", "pass", near="vmap or grad"),
    Mutant("arguments", "read-only-passes", "a read-only view is taken for unchanging", 'return private_copy(leaf) if hasattr(kind, "__array__") else leaf', 'return private_copy(leaf) if hasattr(kind, "__array__") and not (isinstance(leaf, np.ndarray) and not leaf.flags.writeable) else leaf', near="read_only"),
    Mutant("arguments", "any-dictionary", "dictionaries pass unseen", "return _unchanging.issuperset(map(type, argument.values()))", "return True", near="jit"),
    Mutant("decay", "growing", "a decay grows", "offset + contrast * backend.exp(-2.0 * tau / t0)", "offset + contrast * backend.exp(2.0 * tau / t0)"),
    Mutant("decay", "one-decay", "both decays have one time", "contrast2 * backend.exp(-2.0 * tau / t2)", "contrast2 * backend.exp(-2.0 * tau / t1)"),
    Mutant("decay", "exponents-swapped", "the conventions of the exponent are swapped", 'doubled = 2.0 if exponent == "xpcsviewer" else 1.0', 'doubled = 1.0 if exponent == "xpcsviewer" else 2.0'),
    Mutant("decay", "one-per-cent", "the rate is too large by 1 %", "else -2.0 * power)", "else -2.02 * power)"),
    Mutant("decay", "unguarded-zero", "the value at tau = 0 is that at 1", "backend.where(positive, decay, 1.0)", "decay"),
    Mutant("decay", "exponent-ignored", "the convention is ignored", "_maybe_jit(stretched_exponential, exponent=exponent)", "_maybe_jit(stretched_exponential)"),
    Mutant("decay", "contrasts-swapped", "the two contrasts are swapped", "return model(x, tau1, tau2, baseline, contrast1, contrast2)", "return model(x, tau1, tau2, baseline, contrast2, contrast1)"),
    Mutant("edges", "inexact-ends", "the outer edges are left to NumPy", "    edges[0], edges[-1] = lowest, highest\n", "", equivalent="The ends of NumPy's spacings are exact of themselves since 1.16; the line keeps the promise, whoever spaces."),
    Mutant("edges", "one-bin-less", "a bin is missing", "np.geomspace(lowest, highest, n_bins + 1)", "np.geomspace(lowest, highest, n_bins)"),
    Mutant("edges", "all-narrow", "one narrow bin is let through", "np.maximum(steps[:-1], steps[1:])).any()", "np.maximum(steps[:-1], steps[1:])).all()"),
    Mutant("edges", "not-stepped", "inner edges stay where linspace has them", 'return edges if spacing == "logarithmic" else _where_the_index_steps(edges)', "return edges"),
    Mutant("edges", "one-step-late", "an inner edge is the last value before its bin", "return np.concatenate([edges[:1], above, edges[-1:]])", "return np.concatenate([edges[:1], below, edges[-1:]])"),
    Mutant("partition", "swapped-labels", "labels count in the other direction", "i * second.static + (j + 1)", "j * first.static + (i + 1)"),
    Mutant("partition", "wrong-side", "a value on an edge falls into the bin before it", "x >= backend.take(edges, index + 1)", "x > backend.take(edges, index + 1)"),
    Mutant("partition", "not-put-right", "the last edge has a bin of its own", "backend.minimum(index + above, last)", "index + above"),
    Mutant("partition", "mask-ignored", "masked pixels are labelled", 'kept, indices = inputs["mask"], []', 'kept, indices = inputs["mask"] | True, []'),
    Mutant("partition", "open-end", "the last bin is open", "(x <= edges[-1])", "(x < edges[-1])"),
    Mutant("partition", "spacing-ignored", "logarithmic bins are found as linear ones", 'if axis.spacing == "linear":', "if axis.spacing:"),
    Mutant("partition", "one-count-less", "the last bin is not counted", "return backend.bincount(flat, length=n_labels)", "return backend.bincount(flat, length=n_labels - 1)"),
    Mutant("partition", "wide-labels", "labels have another type", 'fine = backend.astype(fine, "int32")', 'fine = backend.astype(fine, "int64")'),
    Mutant("partition", "range-ignored", "the range of phi is always full", 'full = params.phi_range == "full"', "full = True"),
    Mutant("partition", "one-of-two", "of two neighbours the second is counted twice", "backend.sum(table, axis=0) + backend.sum(table, axis=1)", "2 * backend.sum(table, axis=0)"),
    Mutant("partition", "last-pixel", "pixels beyond a multiple of four are not counted", "if size % 4:", "if not size:"),
    Mutant("partition", "unfolded", "sectors of the circle have bins of their own", "index % axis.static if axis.fold > 1 else index", "index"),
    Mutant("partition", "not-turned", "azimuths before the first edge stay there", "backend.where(phi < edges[0], phi + 360.0, phi)", "phi"),
    Mutant("partition", "two-directions", "180 degrees are in the last bin", "backend.where(phi >= edges[-1], phi - 360.0, phi)", "phi"),
    Mutant("partition", "static-across", "static bins of the second coordinate are divided like the first", "(j // second.split + 1)", "(j // first.split + 1)"),
    Mutant("scattering", "one-per-cent", "pixels are too large by 1 %", "pixel_mm=detector.pixel_size_um / 1000", "pixel_mm=detector.pixel_size_um / 990"),
    Mutant("scattering", "upside-down", "rows count upwards", "up = (beam.centre_row - backend.arange(rows, dtype=dtype)) * beam.pixel_mm", "up = (backend.arange(rows, dtype=dtype) - beam.centre_row) * beam.pixel_mm"),
    Mutant("grazing", "mirrored-east", "a turned detector is mirrored", "            return right, -up", "            return right, up"),
    Mutant("scattering", "q-one-per-cent", "q is too large by half a per cent", "return (2.0 * k * k) / (n * (n + beam.distance_mm))", "return (2.02 * k * k) / (n * (n + beam.distance_mm))"),
    Mutant("scattering", "swapped-parts", "qx and qy are swapped", 'return {"q": q, "qx": per_mm * right, "qy": per_mm * up}\n\n\ndef _near', 'return {"q": q, "qx": per_mm * up, "qy": per_mm * right}\n\n\ndef _near'),
    Mutant("scattering", "swapped-angle", "the azimuth counts from up", '"phi": arctan2_deg(backend, up, right),\n        "tth": polar', '"phi": arctan2_deg(backend, right, up),\n        "tth": polar'),
    Mutant("grazing", "sign-of-qx", "a term of qx changes its sign", "backend.where(above, sine, -cosine) * shortfall", "backend.where(above, sine, cosine) * shortfall"),
    Mutant("scattering", "truncated-constant", "hc is cut after ten digits", "HC_KEV_ANGSTROM = 12.398419843320026", "HC_KEV_ANGSTROM = 12.39841984"),
    Mutant("scattering", "degrees", "the incidence angle stays in degrees", "math.radians(geometry.incidence_deg or 0.0)", "(geometry.incidence_deg or 0.0)"),
    Mutant("grazing", "sign-of-qz", "an angle of the flat convention changes its sign", "half_sine * backend.cos(delta / 2.0 - alpha_i) + everywhere", "half_sine * backend.cos(delta / 2.0 + alpha_i) + everywhere"),
    Mutant("scattering", "half-a-pixel", "the beam is off by half a pixel", "((rows - 1) / 2, (cols - 1) / 2)", "(rows / 2, cols / 2)"),
    Mutant("mask", "swapped-rectangle", "rows and columns are swapped", "used[slice(*rectangle.rows), slice(*rectangle.columns)] = False", "used[slice(*rectangle.columns), slice(*rectangle.rows)] = False"),
    Mutant("mask", "rectangles-forgotten", "a stored mask undoes the rectangles", "used &= _stored(detector, detector.mask.file)", "used = _stored(detector, detector.mask.file)"),
    Mutant("mask", "beyond", "a rectangle may reach beyond the detector", "if not 0 <= first < stop <= size:", "if not 0 <= first < stop <= size + 1:"),
    Mutant("agreement", "strict", "an error that is just allowed fails", "np.count_nonzero(gap > allowed)", "np.count_nonzero(gap >= allowed)"),
    Mutant("agreement", "rtol-ignored", "the relative tolerance is ignored", "allowed = tolerance.atol * unit + tolerance.rtol * scale", "allowed = tolerance.atol * unit + 0 * scale"),
    Mutant("agreement", "type-ignored", "another type passes", "passed=not (wrong_type or self.n_beyond)", "passed=not self.n_beyond"),
    Mutant("agreement", "unlike-passes", "NaN where there should be a number passes", "        self.n_beyond += unlike.size\n", ""),
    Mutant("agreement", "scale-of-actual", "what is allowed grows with the error", "scale = np.abs(desired.astype(np.float64))", "scale = np.abs(actual.astype(np.float64))"),
    Mutant("agreement", "place-in-piece", "places count from the piece before", "start += piece_a.size", "start = piece_a.size"),
    Mutant("ulp", "order-of-negatives", "negative floats are counted backwards", "np.where(bits < 0, lowest - bits, bits)", "bits"),
    Mutant("values", "finite-inverted", "only what may be infinite must be finite", "if output.finite and output.name in actual:", "if not output.finite and output.name in actual:"),
    Mutant("values", "override-ignored", "a tolerance for one output is ignored", "row.output in {None, output}", "row.output is None"),
    Mutant("values", "failure-passes", "values that are wrong are reported as right", "failed = [check for check in self.checks if not check.passed]", "failed = []"),
)
# fmt: on
