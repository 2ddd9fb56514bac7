"""Which images and programs are Ruby, or JRuby, that take no /tmp which everybody may write to without the sticky bit.

`Dir.tmpdir` (lib/tmpdir.rb of Ruby 2.0 to 3.4, which JRuby has too) asks TMPDIR, TMP, TEMP, /tmp and the working
directory in turn, and passes over a folder that is world-writable and has no sticky bit: "is world-writable". An
emptyDir has the mode 0777 (pkg/volume/emptydir of Kubernetes), with an fsGroup 2777. Where no folder is left it raises
"could not find a temporary directory", at the first upload or Tempfile. Sources of the names: the repositories of these
projects, each of which is written in Ruby; Logstash and Puppet Server run on JRuby.
"""

from __future__ import annotations

from collections.abc import Iterable

from hardener.support.late_pattern import late_pattern

PROGRAMS: frozenset[str] = frozenset(
    "ruby jruby bundle bundler rails rake rackup puma pumactl unicorn unicorn_rails thin falcon sidekiq resque irb gem"
    " fluentd jekyll puppetserver logstash".split()
)
TEMPORARY = ("TMPDIR", "TMP", "TEMP")
"""The variables that it asks, in this order."""

# The last part of the name of an image, or its last two where one alone says little.
_NAMES = late_pattern(
    r"(?:.*/)?(?:j?ruby|rails|chatwoot|openproject|zammad|huginn|discourse|puppetserver|mastodon|jekyll|fluentd"
    r"|fluentd-kubernetes-daemonset|redmine|gitlab|gitlab-(?:ce|ee)|forem|lobsters|solidus|spree|logstash|logstash-oss"
    r"|gitlab-(?:webservice|sidekiq|toolbox|rails|geo-logcursor|mailroom|exporter)(?:-ce|-ee)?|canvas-lms"
    r"|dependabot-core|dependabot-updater(?:-\w+)?|postalserver/postal|maybe-finance/maybe|alphagov/publisher)"
)
_VARIABLES = ("RUBY_VERSION", "GEM_HOME", "BUNDLE_PATH", "BUNDLE_APP_CONFIG", "RAILS_ENV", "RACK_ENV", "JRUBY_OPTS")


def is_ruby_image(repository: str) -> bool:
    """Whether the image of that name, with or without its registry, runs Ruby."""
    return _NAMES.fullmatch(repository) is not None


def ruby_variables(names: Iterable[str]) -> list[str]:
    """The variables among ``names`` that only Ruby reads."""
    return [name for name in names if name in _VARIABLES]
