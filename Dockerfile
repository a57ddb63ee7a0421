# The app on a CPU:
#   docker build -t deepfake-detector .
#   docker run --rm -p 127.0.0.1:8501:8501 -v deepfake-detector:/data deepfake-detector
# Then open http://localhost:8501. Uploads and results live in the volume; the container needs no network.
FROM python:3.12-slim

# OpenCV is linked against these two; python:slim has neither.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt
COPY . .

RUN useradd --create-home app && install --directory --owner=app /data
USER app
ENV DEEPFAKE_HOME=/data DEEPFAKE_RUNS=/data/runs
VOLUME /data
EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://localhost:8501/_stcore/health', timeout=3)"]
# The container's own network is the border here, so the server listens to all of it; publish the port to 127.0.0.1 as above.
CMD ["python", "-m", "streamlit", "run", "streamlit_app.py", "--server.address=0.0.0.0", "--server.headless=true"]
