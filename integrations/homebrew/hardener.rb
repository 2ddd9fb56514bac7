# The formula of a tap; .ci/manifests fills in HOST/OWNER/REPOSITORY, VERSION and SHA256 for a release.
class Hardener < Formula
  desc "Harden Kubernetes manifests in place, and say why"
  homepage "https://HOST/OWNER/REPOSITORY"
  url "https://HOST/OWNER/REPOSITORY/releases/download/vVERSION/hardener-VERSION.tar.gz"
  sha256 "SHA256"
  license "Apache-2.0"

  depends_on "python@3.13"

  # What is installed is what the locks of the release name, by hash.
  def install
    system "python3.13", "-I", "-m", "venv", libexec
    pip = [libexec/"bin/python", "-I", "-m", "pip", "install", "--disable-pip-version-check"]
    system(*pip, "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock", "-r", "requirements-build.lock")
    system(*pip, "--no-index", "--no-deps", "--no-build-isolation", buildpath)
    bin.install_symlink libexec/"bin/harden", libexec/"bin/kubectl-harden"
  end

  test do
    (testpath/"pod.yaml").write <<~YAML
      apiVersion: v1
      kind: Pod
      metadata: {name: web}
      spec: {hostPID: true, containers: [{name: web, image: nginx}]}
    YAML
    assert_match "check failed", shell_output("#{bin}/harden check pod.yaml", 1)
  end
end
