"""Which Debian package has what a build or a program misses: headers, libraries, pkg-config names, programs. Tables.

Names hold for Debian 12 and 13; where they differ, the pattern of the older one is left out and apt's own message says
so. Source: packages.debian.org's contents search, for what the 500 most used packages with extensions ask for.
"""

from __future__ import annotations

import re

# The end of a header's path -> the package that has it.
HEADERS = {
    "Python.h": "python3-dev",
    "libpq-fe.h": "libpq-dev",
    "postgres_fe.h": "libpq-dev",
    "mysql.h": "default-libmysqlclient-dev",
    "my_config.h": "default-libmysqlclient-dev",
    "sqlite3.h": "libsqlite3-dev",
    "ffi.h": "libffi-dev",
    "zlib.h": "zlib1g-dev",
    "bzlib.h": "libbz2-dev",
    "lzma.h": "liblzma-dev",
    "zstd.h": "libzstd-dev",
    "lz4.h": "liblz4-dev",
    "snappy-c.h": "libsnappy-dev",
    "jpeglib.h": "libjpeg-dev",
    "png.h": "libpng-dev",
    "tiff.h": "libtiff-dev",
    "webp/decode.h": "libwebp-dev",
    "ft2build.h": "libfreetype-dev",
    "lcms2.h": "liblcms2-dev",
    "openjpeg.h": "libopenjp2-7-dev",
    "MagickWand.h": "libmagickwand-dev",
    "libheif/heif.h": "libheif-dev",
    "openssl/ssl.h": "libssl-dev",
    "openssl/opensslv.h": "libssl-dev",
    "curl/curl.h": "libcurl4-openssl-dev",
    "libxml/xpath.h": "libxml2-dev",
    "libxml/xmlversion.h": "libxml2-dev",
    "libxml/tree.h": "libxml2-dev",
    "libxslt/xslt.h": "libxslt1-dev",
    "xmlsec/xmlsec.h": "libxmlsec1-dev",
    "lber.h": "libldap-dev",
    "ldap.h": "libldap-dev",
    "sasl/sasl.h": "libsasl2-dev",
    "gssapi/gssapi.h": "libkrb5-dev",
    "krb5.h": "libkrb5-dev",
    "security/pam_appl.h": "libpam0g-dev",
    "sodium.h": "libsodium-dev",
    "geos_c.h": "libgeos-dev",
    "gdal.h": "libgdal-dev",
    "proj.h": "libproj-dev",
    "spatialindex/capi/sidx_api.h": "libspatialindex-dev",
    "hdf5.h": "libhdf5-dev",
    "netcdf.h": "libnetcdf-dev",
    "cairo.h": "libcairo2-dev",
    "pango/pango.h": "libpango1.0-dev",
    "girepository.h": "libgirepository1.0-dev",
    "glib.h": "libglib2.0-dev",
    "magic.h": "libmagic-dev",
    "pcre.h": "libpcre3-dev",
    "pcre2.h": "libpcre2-dev",
    "yaml.h": "libyaml-dev",
    "uuid/uuid.h": "uuid-dev",
    "expat.h": "libexpat1-dev",
    "gmp.h": "libgmp-dev",
    "mpfr.h": "libmpfr-dev",
    "ev.h": "libev-dev",
    "event.h": "libevent-dev",
    "zmq.h": "libzmq3-dev",
    "librdkafka/rdkafka.h": "librdkafka-dev",
    "libmemcached/memcached.h": "libmemcached-dev",
    "sql.h": "unixodbc-dev",
    "sybdb.h": "freetds-dev",
    "portaudio.h": "portaudio19-dev",
    "sndfile.h": "libsndfile1-dev",
    "libavcodec/avcodec.h": "libavcodec-dev",
    "readline/readline.h": "libreadline-dev",
    "ncurses.h": "libncurses-dev",
    "systemd/sd-journal.h": "libsystemd-dev",
    "linux/types.h": "linux-libc-dev",
    "stdio.h": "libc6-dev",
    "limits.h": "libc6-dev",
}

# A program that a package's build calls -> the package that has it.
PROGRAMS = {
    "pg_config": "libpq-dev",
    "mysql_config": "default-libmysqlclient-dev",
    "mariadb_config": "libmariadb-dev",
    "pkg-config": "pkg-config",
    "curl-config": "libcurl4-openssl-dev",
    "xml2-config": "libxml2-dev",
    "xslt-config": "libxslt1-dev",
    "krb5-config": "libkrb5-dev",
    "gdal-config": "libgdal-dev",
    "geos-config": "libgeos-dev",
    "pcre-config": "libpcre3-dev",
    "llvm-config": "llvm-dev",
    "swig": "swig",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "make": "make",
    "git": "git",
    "cargo": "cargo",
    "rustc": "rustc",
    "go": "golang-go",
    "gfortran": "gfortran",
    "g++": "g++",
    "c++": "g++",
    "gcc": "gcc",
    "cc": "gcc",
    "x86_64-linux-gnu-gcc": "gcc",
    "aarch64-linux-gnu-gcc": "gcc",
    "x86_64-linux-gnu-g++": "g++",
    "msgfmt": "gettext",
    "autoreconf": "autoconf",
}

# What pkg-config is asked for -> the package that has it.
MODULES = {
    "mysqlclient": "default-libmysqlclient-dev",
    "mariadb": "libmariadb-dev",
    "libmariadb": "libmariadb-dev",
    "libpq": "libpq-dev",
    "libxml-2.0": "libxml2-dev",
    "libxslt": "libxslt1-dev",
    "xmlsec1": "libxmlsec1-dev",
    "cairo": "libcairo2-dev",
    "libffi": "libffi-dev",
    "openssl": "libssl-dev",
    "gobject-introspection-1.0": "libgirepository1.0-dev",
    "dbus-1": "libdbus-1-dev",
    "libsystemd": "libsystemd-dev",
    "vips": "libvips-dev",
}

# A library that a program loads while it runs: its soname or name -> the package that has it.
LIBRARIES = {
    "libpq.so.5": "libpq5",
    "libmariadb.so.3": "libmariadb3",
    "libmysqlclient.so.21": "libmysqlclient21",
    "libmagic.so.1": "libmagic1",
    "libmagic": "libmagic1",
    "libcurl.so.4": "libcurl4",
    "libcurl-gnutls.so.4": "libcurl3-gnutls",
    "libxml2.so.2": "libxml2",
    "libxslt.so.1": "libxslt1.1",
    "libxmlsec1.so.1": "libxmlsec1-openssl",
    "libxmlsec1-openssl.so.1": "libxmlsec1-openssl",
    "libjpeg.so.62": "libjpeg62-turbo",
    "libpng16.so.16": "libpng16-16",
    "libtiff.so.6": "libtiff6",
    "libwebp.so.7": "libwebp7",
    "libopenjp2.so.7": "libopenjp2-7",
    "liblcms2.so.2": "liblcms2-2",
    "libfreetype.so.6": "libfreetype6",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgobject-2.0-0": "libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0",
    "libpango-1.0-0": "libpango-1.0-0, libpangoft2-1.0-0, libharfbuzz-subset0",
    "libpangoft2-1.0-0": "libpangoft2-1.0-0",
    "libcairo.so.2": "libcairo2",
    "libcairo-2": "libcairo2",
    "libgomp.so.1": "libgomp1",
    "libldap-2.5.so.0": "libldap-2.5-0",
    "libldap.so.2": "libldap2",
    "libsasl2.so.2": "libsasl2-2",
    "libgeos_c.so.1": "libgeos-c1v5",
    "libsnappy.so.1": "libsnappy1v5",
    "libsodium.so.23": "libsodium23",
    "libzmq.so.5": "libzmq5",
    "libodbc.so.2": "libodbc2",
    "libsybdb.so.5": "libsybdb5",
    "libsndfile.so.1": "libsndfile1",
    "libpcre.so.3": "libpcre3",
    "libpcre2-8.so.0": "libpcre2-8-0",
    "libyaml-0.so.2": "libyaml-0-2",
    "libev.so.4": "libev4",
    "librdkafka.so.1": "librdkafka1",
    "libmemcached.so.11": "libmemcached11",
    "libstdc++.so.6": "libstdc++6",
    "libatomic.so.1": "libatomic1",
    "libMagickWand-6.Q16.so.6": "libmagickwand-6.q16-6",
    "libspatialite.so.8": "libsqlite3-mod-spatialite",
    "libvips.so.42": "libvips42",
    "libzbar.so.0": "libzbar0",
}


def needed(output: str) -> list[str]:
    """The Debian packages that a failed build misses, as its output says; a compiler with whatever needs one."""
    found: list[str] = []
    for header in re.findall(r"([\w+./-]+\.h):? (?:No such file|is missing|not found)", output):
        found += _ending(HEADERS, header)
    for header in re.findall(r"fatal error: ([\w+./-]+\.h)", output):
        found += _ending(HEADERS, header)
    names = re.findall(r"(?:command |execute |find |called |not run |executable )[`'\"]?([\w+.-]+)[`'\"]?", output)
    names += re.findall(r"\b([\w+-]+): (?:command )?not found", output)
    names += re.findall(r"No such file or directory: '([\w+-]+)'", output)
    names += re.findall(r"\b((?:pg|mysql|mariadb)_config|(?:gdal|geos|krb5|curl|llvm|xslt|xml2)-config)\b", output)
    found += [PROGRAMS[name] for name in names if name in PROGRAMS]
    for module in re.findall(r"(?:Package|package|--exists|--libs|module) [`'\"]?([\w.+-]+)[`'\"]?", output):
        found += [MODULES[module]] if module in MODULES else []
    if re.search(r"rust (?:toolchain|compiler)|rust(?:up)? is (?:not|required)", output, re.IGNORECASE):
        found += ["cargo"]
    found += [f"lib{library}-dev" for library in re.findall(r"cannot find -l([\w+.-]+?):?(?=\s|$)", output)]
    return [*dict.fromkeys(found)]


def library(output: str) -> str:
    """The Debian package with a library that was not found while a program ran; "" where none is known."""
    for name in re.findall(r"(lib[\w.+-]+\.so(?:\.\d+)*): cannot open shared object", output):
        if package := LIBRARIES.get(name):
            return package
    for pattern in (
        r"cannot load library '(lib[\w.+-]+)'",
        r"failed to find (lib\w+)",
        r"no library called \"([\w.+-]+)\"",
    ):
        for name in re.findall(pattern, output):
            if package := LIBRARIES.get(name) or LIBRARIES.get(f"lib{name}"):
                return package
    if "Could not find the GDAL library" in output:
        return "libgdal-dev"
    return ""


def _ending(table: dict[str, str], path: str) -> list[str]:
    """The entry whose key is the longest end of a path."""
    parts = path.split("/")
    ends = ("/".join(parts[index:]) for index in range(len(parts)))
    return next(([table[end]] for end in ends if end in table), [])
