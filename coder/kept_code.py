"""The compiled code of a kernel, as it is kept and as it is made ready to run again.

numba's own way back from a cache first imports all that compiling needs, 0.11 s, and parses
the LLVM bitcode of each kernel, 0.05 s for those of a text. Running them needs neither: what
compiling needs is left to be imported when something is compiled, and bitcode, which is what
other kernels are linked with, is parsed when one is.
"""

import builtins
from functools import cached_property
from typing import Any, NamedTuple

from llvmlite import binding as llvm
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult, compile_result
from numba.core.environment import Environment
from numba.core.runtime import _nrt_python

_INTRINSICS = "llvm."


class KeptCode(NamedTuple):
    """What is kept of a kernel for one signature.

    Attributes:
        name: of its library.
        machine_code: an object file.
        bitcode: of the same functions, for other kernels to be linked with.
        defined: names of what the code defines, but for what it keeps to itself.
        needed: names of the functions that it calls and does not define.
        rest: the other fields of a `CompileResult`, by name.
    """

    name: str
    machine_code: bytes
    bitcode: bytes
    defined: frozenset[str]
    needed: tuple[str, ...]
    rest: dict[str, Any]


def keep(result: CompileResult) -> KeptCode:
    """Of what the compiler has made, all that `ready` needs."""
    # numba's own choice of what is kept, by position.
    library, fndesc, environment, signature, *_, reload_init, referenced_envs = result._reduce()
    name, _, (machine_code, bitcode) = library
    module = llvm.parse_bitcode(bitcode)
    functions = list(module.functions)
    values = [*functions, *module.global_variables]
    return KeptCode(
        name,
        machine_code,
        bitcode,
        frozenset(v.name for v in values if not v.is_declaration),
        tuple(f.name for f in functions if f.is_declaration and not _is_intrinsic(f.name)),
        {
            "fndesc": fndesc,
            "environment": _without_globals(environment),
            "signature": signature,
            "reload_init": tuple(reload_init),
            "referenced_envs": [_without_globals(e) for e in referenced_envs],
        },
    )


def _without_globals(environment: Environment) -> Environment:
    """One of the same name and constants that is loaded without importing its module.

    numba's own functions are in modules that import the compiler, 0.02 s. Globals are only
    used by code in object mode, which kernels have none of.
    """
    bare = Environment(vars(builtins))
    bare.consts[:] = environment.consts
    bare.env_name = environment.env_name
    return bare


def _is_intrinsic(name: str) -> bool:
    return name.startswith(_INTRINSICS)


def ready(context: Any, code: KeptCode) -> CompileResult:
    """Make kept code ready to be called, as the compiler's result is.

    Args:
        context: numba's target context.
    """
    rest = code.rest
    # What is not there yet comes with what compiling needs. The linker would end the process.
    if rest["reload_init"] or not _are_there(code.needed):
        context.refresh()
    for initialize in rest["reload_init"]:
        initialize()
    library = _KeptLibrary(context.codegen(), code)
    entry_point = context.get_executable(library, rest["fndesc"], rest["environment"])
    for environment in rest["referenced_envs"]:
        library.codegen.set_env(environment.env_name, environment)
    return compile_result(
        target_context=context,
        typing_context=context.typing_context,
        library=library,
        entry_point=entry_point,
        type_annotation="",
        objectmode=False,
        lifted=(),
        **rest,
    )


def _are_there(names: tuple[str, ...]) -> bool:
    """Are these functions known to LLVM's linker?"""
    for name, address in _nrt_python.c_helpers.items():
        # As numba's runtime names them when it begins.
        llvm.add_symbol(name if name.startswith("_") else f"NRT_{name}", address)
    return all(llvm.address_of_symbol(name) for name in names)


class _KeptLibrary(JITCodeLibrary):  # type: ignore[misc]
    """numba's library of one kernel, whose bitcode is parsed only if it is asked for."""

    def __init__(self, codegen: Any, code: KeptCode) -> None:
        super().__init__(codegen, code.name)
        self._bitcode = code.bitcode
        self.enable_object_caching()
        self._set_compiled_object(code.machine_code)
        self._finalize_final_module()
        codegen._engine._defined_symbols |= code.defined

    @cached_property
    def _parsed(self) -> Any:
        return llvm.parse_bitcode(self._bitcode)

    def _get_module_for_linking(self) -> Any:
        return self._parsed
